use serde::Deserialize;

use super::renamed::Renamed;
use super::sections::{Context, Local, Log, Server, Steering, Store, Upstream, Vocabulary};

/// The whole configuration. `config/default.toml` says what each key means.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[upstream]`
    pub upstream: Upstream,
    /// `[local]`
    pub local: Local,
    /// `[vocabulary]`
    pub vocabulary: Vocabulary,
    /// `[steering]`
    pub steering: Steering,
    /// `[context]`
    pub context: Context,
    /// `[store]`
    pub store: Store,
    /// `[log]`
    pub log: Log,
    /// Keys that were given under a former name.
    #[serde(skip)]
    pub renamed: Vec<Renamed>,
}
