use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, SERVER};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::connection::{Connection, Endpoint};
use super::describe::{Description, Limits, ServedModel};
use super::llamacpp::{self, LlamaCpp};
use super::openai_chat::{self, OpenaiChat};
use super::probe::{self, PROBE, Reading};
use super::sglang::{self, Sglang};
use super::vllm::Vllm;
use super::{Caller, CandidateRequest, PositionRequest, Positions, Problem, Upstream, UpstreamError};
use crate::vocabulary::{ChatMessage, TokenId, Tokenizer};

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// As it turns out when it is first asked.
    Auto,
    /// vLLM's `/v1/completions`.
    Vllm,
    /// llama.cpp's `/completion`.
    #[serde(rename = "llamacpp")]
    LlamaCpp,
    /// SGLang's `/generate`.
    Sglang,
    /// `/v1/chat/completions` of a host that continues an assistant's message.
    OpenaiChat,
}

/// One server: its address, and what it turned out to be when it was first needed. It need not be up before.
pub struct Server {
    connection: Arc<Connection>,
    driver: Driver,
    tokenizer: Arc<Tokenizer>,
    known: RwLock<Option<Known>>,
    /// It has failed since it was last looked at; another may have taken its place.
    suspect: AtomicBool,
}

#[derive(Clone)]
struct Known {
    upstream: Arc<dyn Upstream>,
    description: Arc<Description>,
}

impl Server {
    /// The server behind `connection`, whose model has the vocabulary of `tokenizer`.
    pub fn new(connection: Connection, driver: Driver, tokenizer: Arc<Tokenizer>) -> Self {
        Self {
            connection: Arc::new(connection),
            driver,
            tokenizer,
            known: RwLock::new(None),
            suspect: AtomicBool::new(false),
        }
    }

    /// The way to it.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// An [`UpstreamError`] when it cannot be asked, and when it is not what it was.
    pub async fn describe(&self, caller: &Caller) -> Result<Arc<Description>, UpstreamError> {
        Ok(self.known(caller).await?.description)
    }

    /// Whether it has ever answered.
    pub fn is_known(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Has it looked at again before the next request.
    pub fn suspect(&self) {
        self.suspect.store(true, Ordering::Release);
    }

    async fn known(&self, caller: &Caller) -> Result<Known, UpstreamError> {
        // Never held while the server is asked: one that hangs would keep everybody in line.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) if !self.suspect.load(Ordering::Acquire) => Ok(known),
            Some(known) => {
                let looks = look(&self.connection, caller).await?;
                same_model(&known.description, &looks, caller).map_err(|problem| self.connection.problem(problem))?;
                self.suspect.store(false, Ordering::Release);
                Ok(known)
            }
            None => {
                let found = self.meet(caller).await?;
                self.suspect.store(false, Ordering::Release);
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                if known.is_none() {
                    let url = self.connection.url();
                    tracing::info!(%url, driver = ?found.description.driver, "the upstream is {}", found.description);
                }
                // What somebody else found meanwhile has learned more.
                Ok(known.get_or_insert(found).clone())
            }
        }
    }

    async fn meet(&self, caller: &Caller) -> Result<Known, UpstreamError> {
        let looks = look(&self.connection, caller).await?;
        let driver = match self.driver {
            Driver::Auto => self.recognise(&looks, caller).await?,
            driver => driver,
        };
        let connection = Arc::clone(&self.connection);
        let (upstream, limits): (Arc<dyn Upstream>, Limits) = match driver {
            Driver::Auto | Driver::Vllm => {
                let vllm = Vllm::new(connection);
                let limits = vllm.limits(caller).await;
                (Arc::new(vllm), limits)
            }
            Driver::LlamaCpp => {
                let end = self.tokenizer.end();
                (Arc::new(LlamaCpp::new(connection, end)), llamacpp::LIMITS)
            }
            Driver::Sglang => (Arc::new(Sglang::new(connection)), sglang::LIMITS),
            Driver::OpenaiChat => {
                let tokenizer = Arc::clone(&self.tokenizer);
                let chat = OpenaiChat::connect(connection, tokenizer, caller).await?;
                (Arc::new(chat), openai_chat::LIMITS)
            }
        };
        let server = match driver {
            Driver::Auto | Driver::Vllm => named("vLLM", version(&self.connection, caller).await),
            Driver::LlamaCpp => "llama.cpp".to_owned(),
            Driver::Sglang => "SGLang".to_owned(),
            Driver::OpenaiChat => "an OpenAI-compatible host".to_owned(),
        };
        let description = Arc::new(Description {
            driver,
            server,
            models: looks.models,
            limits,
        });
        let served = description.model(caller.model.as_deref());
        self.check_vocabulary(&*upstream, served, caller).await?;
        Ok(Known { upstream, description })
    }

    /// The ids that the server writes a text in must stand for that text in our tokenizer, or every id it sends means something
    /// else. Servers that cannot be asked are taken at their word.
    async fn check_vocabulary(
        &self,
        upstream: &dyn Upstream,
        served: Option<&ServedModel>,
        caller: &Caller,
    ) -> Result<(), UpstreamError> {
        let Ok(Some(ids)) = upstream.tokenize(PROBE, caller).await else {
            return Ok(());
        };
        let url = self.connection.url();
        match probe::read(&self.tokenizer, PROBE, &ids) {
            Reading::Same => {}
            Reading::OtherwiseCut => tracing::warn!(
                %url,
                "the server cuts a text into other tokens of its vocabulary than upstream.tokenizer does; is it of the served \
                 model's revision?"
            ),
            Reading::Other(read) => {
                let served = served.map_or_else(|| "the served model".to_owned(), |model| model.id.clone());
                let text = PROBE;
                return Err(self.connection.problem(Problem::OtherVocabulary { served, text, read }));
            }
        }
        Ok(())
    }

    /// Which server it is. Cheap questions only, the first that is answered decides.
    async fn recognise(&self, looks: &Looks, caller: &Caller) -> Result<Driver, UpstreamError> {
        match looks.owner.as_deref() {
            Some("vllm" | "costeer") => return Ok(Driver::Vllm),
            Some("llamacpp") => return Ok(Driver::LlamaCpp),
            Some("sglang") => return Ok(Driver::Sglang),
            _ if looks.is_llamacpp => return Ok(Driver::LlamaCpp),
            _ => {}
        }
        // Something in between has rewritten the list.
        if version(&self.connection, caller).await.is_some() {
            return Ok(Driver::Vllm);
        }
        for (path, field, driver) in [
            ("/get_model_info", "model_path", Driver::Sglang),
            ("/props", "default_generation_settings", Driver::LlamaCpp),
        ] {
            let answer = self.connection.get(Endpoint::Native(path), caller).await;
            if answer.is_ok_and(|(_, body)| body.get(field).is_some()) {
                return Ok(driver);
            }
        }
        Ok(Driver::OpenaiChat)
    }
}

/// What `/v1/models` shows.
struct Looks {
    models: Vec<ServedModel>,
    owner: Option<String>,
    is_llamacpp: bool,
}

async fn look(connection: &Connection, caller: &Caller) -> Result<Looks, UpstreamError> {
    let (headers, body) = match connection.get(Endpoint::Api("/models"), caller).await {
        Ok(answer) => answer,
        // Not every host has the list.
        Err(error) if error.problem.is_no_such_route() => (HeaderMap::new(), Value::Null),
        Err(error) => return Err(error),
    };
    let listed = body.get("data").and_then(Value::as_array);
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    let owner = listed
        .first()
        .and_then(|model| model.get("owned_by"))
        .and_then(Value::as_str);
    let server = headers.get(SERVER).and_then(|server| server.to_str().ok());
    Ok(Looks {
        models: listed.iter().filter_map(served).collect(),
        owner: owner.map(str::to_owned),
        is_llamacpp: server == Some("llama.cpp"),
    })
}

fn served(model: &Value) -> Option<ServedModel> {
    let number = |pointer: &str| model.pointer(pointer).and_then(Value::as_u64);
    // vLLM and SGLang; llama.cpp, where it is the context of one slot.
    let context = number("/max_model_len").or_else(|| number("/meta/n_ctx"));
    let words = ["/root", "/meta/n_vocab", "/meta/n_params", "/meta/size", "/meta/ftype"];
    let words = words.iter().filter_map(|pointer| model.pointer(pointer));
    Some(ServedModel {
        id: model.get("id")?.as_str()?.to_owned(),
        context_length: context.and_then(|length| usize::try_from(length).ok()),
        identity: words.map(Value::to_string).collect::<Vec<_>>().join(" "),
    })
}

/// A session goes on from its prefix, so a server that comes back must be the model it was.
fn same_model(before: &Description, now: &Looks, caller: &Caller) -> Result<(), Problem> {
    let Some(before) = before.model(caller.model.as_deref()) else {
        return Ok(());
    };
    let is_before = |model: &&ServedModel| model.id == before.id && model.identity == before.identity;
    if now.models.iter().any(|model| is_before(&model)) {
        return Ok(());
    }
    let words = |model: &ServedModel| format!("{} {}", model.id, model.identity);
    let now = now
        .models
        .iter()
        .find(|model| model.id == before.id)
        .or(now.models.first());
    Err(Problem::AnotherModel {
        before: words(before),
        now: now.map_or_else(|| "none".to_owned(), words),
    })
}

async fn version(connection: &Connection, caller: &Caller) -> Option<String> {
    let (_, body) = connection.get(Endpoint::Native("/version"), caller).await.ok()?;
    let version = body.get("version")?.as_str()?;
    let server = body.get("server").and_then(Value::as_str);
    Some(server.map_or_else(|| version.to_owned(), |server| format!("({server} {version})")))
}

fn named(name: &str, version: Option<String>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}

impl Upstream for Server {
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>> {
        async move {
            let known = self.known(&request.caller).await?;
            known.upstream.positions(request).await
        }
        .boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> BoxFuture<'_, Result<Vec<(TokenId, f64)>, UpstreamError>> {
        async move {
            let known = self.known(&request.caller).await?;
            known.upstream.candidates(request).await
        }
        .boxed()
    }

    fn tokenize<'a>(
        &'a self,
        text: &'a str,
        caller: &'a Caller,
    ) -> BoxFuture<'a, Result<Option<Vec<TokenId>>, UpstreamError>> {
        async move { self.known(caller).await?.upstream.tokenize(text, caller).await }.boxed()
    }

    fn prompt(
        &self,
        chat: Arc<[ChatMessage]>,
        caller: Caller,
    ) -> BoxFuture<'_, Result<Option<Vec<TokenId>>, UpstreamError>> {
        async move {
            let known = self.known(&caller).await?;
            known.upstream.prompt(chat, caller).await
        }
        .boxed()
    }
}
