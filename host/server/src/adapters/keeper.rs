//! The keeper: sees to it that shops are served by what is in the adapters' directory.
//!
//! Owns the life of adapters while the server runs: it looks when the system says that something changed, and now and then
//! without being told; it puts into service, takes out of it, keeps earlier versions and says how everything is doing. Runs
//! that are under way end with the adapter that they began with.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bursar_domain::{Clock, ShopName};
use bursar_store::Store;
use notify::{RecursiveMode, Watcher};
use tokio::sync::watch;

use super::{
    Adapters, Directory,
    status::{Row, Status, rows},
};
use crate::{
    bell::{Bell, Listener},
    shops::{Served, Shops},
};

/// How long after a change the directory is looked at, and looked at again: a file that is the same at both is complete. Copying
/// writes in bursts far shorter than this.
const SETTLE: Duration = Duration::from_millis(400);

/// What the keeper needs.
#[derive(Debug)]
pub struct Keeper {
    /// The directory, looked at once.
    pub directory: Directory,
    /// What it held then.
    pub adapters: Adapters,
    /// The shops to serve.
    pub shops: Shops,
    /// Where deliveries wait for adapters.
    pub store: Store,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// To be rung when what waited may run.
    pub inbox: Bell,
    /// How often the directory is looked at without being told.
    pub rescan: Duration,
    /// Where the status is written.
    pub cache: PathBuf,
    /// What was written last.
    pub told: watch::Sender<Vec<Row>>,
}

impl Keeper {
    /// Works until told to stop.
    pub async fn work(mut self, mut stop: watch::Receiver<bool>) {
        let changes = Bell::default();
        let _watcher = watch_directory(self.directory.path(), &changes);
        let mut changed = changes.listen();
        let mut news = self.shops.news.listen();
        self.keep_versions();
        self.tell();
        while !*stop.borrow() {
            let looking = tokio::select! {
                () = changed.wait(self.rescan) => true,
                () = news.wait(Duration::MAX) => false,
                _ = stop.changed() => return,
            };
            if looking {
                self.look(&mut changed, &mut stop).await;
            }
            self.tell();
        }
    }

    /// Looks until everything has settled.
    async fn look(&mut self, changed: &mut Listener, stop: &mut watch::Receiver<bool>) {
        loop {
            let unsettled = self.pass().await;
            self.tell();
            if !unsettled {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(SETTLE) => {}
                _ = stop.changed() => return,
            }
            // What was told meanwhile is seen by the next look.
            changed.wait(Duration::ZERO).await;
        }
    }

    /// Looks once, puts into service what has come, and answers whether something is being written.
    pub async fn pass(&mut self) -> bool {
        let looked = match self.directory.look(&self.adapters.sound).await {
            Ok(looked) => looked,
            Err(error) => {
                tracing::error!(directory = %self.directory.path().display(), %error, "the adapters' directory cannot be read; what serves goes on");
                return false;
            }
        };
        for broken in looked.adapters.broken.iter().filter(|broken| !self.adapters.broken.contains(broken)) {
            tracing::error!(file = %broken.file.display(), reason = broken.words(), "a file is no adapter that can run");
        }
        self.adapters.broken = looked.adapters.broken.clone();
        if looked.changed {
            self.serve(looked.adapters).await;
        }
        looked.unsettled
    }

    async fn serve(&mut self, adapters: Adapters) {
        for (name, loaded) in &adapters.sound {
            let version = &loaded.adapter.description().version;
            match self.adapters.sound.get(name) {
                Some(before) if Arc::ptr_eq(&before.adapter, &loaded.adapter) => {}
                Some(before) => {
                    let before = &before.adapter.description().version;
                    tracing::info!(adapter = %name, version, before, sha256 = loaded.adapter.sha256(), file = %loaded.file.display(), "adapter replaced");
                }
                None => {
                    tracing::info!(adapter = %name, version, sha256 = loaded.adapter.sha256(), file = %loaded.file.display(), "adapter loaded");
                }
            }
        }
        for name in self.adapters.sound.keys().filter(|name| !adapters.sound.contains_key(*name)) {
            tracing::warn!(adapter = %name, "adapter removed; what its shops send is kept");
        }
        self.adapters = adapters;
        let mut again: Vec<ShopName> = Vec::new();
        for served in self.shops.serve(&self.adapters) {
            match served {
                Served::Anew(shop) => {
                    tracing::info!(%shop, "shop ready");
                    again.push(shop);
                }
                Served::AsBefore(shop, obstacle) => {
                    tracing::error!(%shop, code = obstacle.code, why = obstacle.message, "a shop cannot be served by the new version of its adapter; the one before goes on");
                }
                Served::NoLonger(shop, obstacle) => {
                    tracing::error!(%shop, code = obstacle.code, why = obstacle.message, "a shop cannot be served; what it sends is kept");
                }
            }
        }
        self.keep_versions();
        if again.is_empty() {
            return;
        }
        match self.store.look_again(again, self.clock.now()).await {
            Ok(()) => self.inbox.ring(),
            Err(error) => {
                tracing::error!(error = %error.chain(), "what waited for an adapter could not be called; it is looked at in its own time")
            }
        }
    }

    fn keep_versions(&self) {
        for (name, loaded) in &self.adapters.sound {
            if let Err(error) = self.directory.keep(name, loaded) {
                tracing::warn!(adapter = %name, %error, "this version cannot be kept to go back to");
            }
        }
    }

    fn tell(&self) {
        let adapters = rows(&self.adapters);
        if adapters == *self.told.borrow() {
            return;
        }
        self.told.send_replace(adapters.clone());
        let status = Status { at: self.clock.now(), process: std::process::id(), adapters };
        if let Err(error) = status.write(&self.cache) {
            tracing::warn!(%error, "how the adapters are doing cannot be written for `bursar adapter list`");
        }
    }
}

/// Has the bell rung when something in the directory changes. Where the system cannot tell, the directory is looked at now and
/// then all the same.
fn watch_directory(directory: &Path, changes: &Bell) -> Option<notify::RecommendedWatcher> {
    let bell = changes.clone();
    let told = move |event: notify::Result<notify::Event>| {
        // Reading the files is what we do ourselves.
        if event.map_or(true, |event| !event.kind.is_access()) {
            bell.ring();
        }
    };
    let watcher = notify::recommended_watcher(told)
        .and_then(|mut watcher| watcher.watch(directory, RecursiveMode::NonRecursive).map(|()| watcher));
    watcher
        .inspect_err(|error| {
            tracing::warn!(directory = %directory.display(), %error, "changes of the adapters' directory are seen late, by looking now and then");
        })
        .ok()
}
