//! `types`, `settings`, `logging` and `catalog`: what every adapter may use and what needs few words.
//!
//! Owns nothing but their translation.

use wasmtime::Result;

use crate::{
    contract::bursar::adapter::{catalog, logging, settings, types},
    error::RunErrorKind,
    outcome::LogLevel,
    run::{
        book,
        state::{Phase, RunState},
    },
};

impl types::Host for RunState {}

impl settings::Host for RunState {
    fn shop_name(&mut self) -> Result<String> {
        self.count_call(0)?;
        Ok(self.shop.as_ref().map(|shop| shop.name.as_str().to_owned()).unwrap_or_default())
    }

    fn json(&mut self) -> Result<String> {
        let json = self.shop.as_ref().map_or_else(|| "{}".to_owned(), |shop| shop.settings_json.clone());
        self.count_call(json.len())?;
        Ok(json)
    }
}

impl logging::Host for RunState {
    fn log(&mut self, level: logging::Level, message: String) -> Result<()> {
        self.count_call(message.len())?;
        let level = match level {
            logging::Level::Debug => LogLevel::Debug,
            logging::Level::Info => LogLevel::Info,
            logging::Level::Warning => LogLevel::Warning,
            logging::Level::Error => LogLevel::Error,
        };
        RunState::log(self, level, &message);
        Ok(())
    }
}

impl catalog::Host for RunState {
    async fn courses(&mut self, product: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
        self.count_call(product.iter().map(|(kind, id)| kind.len() + id.len()).sum())?;
        self.count_look_up()?;
        let (Phase::Handle, Some(surroundings)) = (self.phase, self.surroundings.clone()) else {
            RunState::log(self, LogLevel::Warning, "wrong-phase: `courses` answers in `handle` only");
            return Ok(Vec::new());
        };
        let products = book::products(product)?;
        Ok(self.outside(surroundings.courses(&products)).await.map_err(RunErrorKind::from)?)
    }
}
