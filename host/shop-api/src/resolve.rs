//! Names to addresses, without the private ones.
//!
//! Owns the check on what a name *resolves to*: the client connects to exactly the addresses that are let through here, so a name
//! that answers differently a moment later gains nothing.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_public;

/// Every address that a name has was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its name leads to the private address {0}")]
pub(crate) struct PrivateAddress(pub(crate) IpAddr);

/// A resolver that knows public addresses only.
#[derive(Debug)]
pub(crate) struct PublicOnly;

impl PublicOnly {
    pub(crate) fn shared() -> Arc<Self> {
        Arc::new(Self)
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses = public(&found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The public ones of these. A name with both kinds is served by its public ones.
fn public(found: &[SocketAddr]) -> io::Result<Vec<SocketAddr>> {
    let public: Vec<SocketAddr> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
    match (public.is_empty(), found.first()) {
        (false, _) => Ok(public),
        (true, Some(private)) => Err(io::Error::other(PrivateAddress(private.ip()))),
        (true, None) => Err(io::Error::new(io::ErrorKind::NotFound, "its name has no address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 0)
    }

    #[test]
    fn private_addresses_of_a_name_are_left_out() {
        let found = [address("10.0.0.7"), address("93.184.216.34")];
        assert_eq!(public(&found).unwrap(), [address("93.184.216.34")]);
    }

    #[test]
    fn a_name_with_private_addresses_only_is_refused_with_the_address() {
        let error = public(&[address("::ffff:169.254.169.254")]).unwrap_err();
        let inside = error.get_ref().unwrap().downcast_ref::<PrivateAddress>().unwrap();
        assert_eq!(inside.to_string(), "its name leads to the private address ::ffff:169.254.169.254");
    }
}
