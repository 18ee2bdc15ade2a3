use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use futures::FutureExt;

use super::completions::Completions;
use super::hosts::UNKNOWN;
use super::llamacpp::{self, LlamaCpp};
use super::looks::{Looks, look, same_model};
use super::ollama::{self, Ollama};
use super::openai_chat::{self, OpenaiChat};
use super::recognise::{Recognised, ollama_version, recognise, version};
use super::sglang::{self, Sglang};
use super::signs::known;
use super::vllm::Vllm;
use super::vocabulary_check::ServedVocabulary;
use super::{
    Caller, CandidateRequest, Connection, Description, Driver, PositionRequest, Positions, Problem, Reply,
    RequestLimits, Upstream, UpstreamError,
};
use crate::vocabulary::{ChatMessage, TokenId, plain_roles};

/// One server: its address, and what it turned out to be. It is asked when it is first needed and need not be up before.
pub struct Server {
    connection: Arc<Connection>,
    driver: Driver,
    vocabulary: ServedVocabulary,
    known: RwLock<Option<Known>>,
    /// It has failed since it was last asked what it is. Another server may have taken its place.
    suspect: AtomicBool,
}

#[derive(Clone)]
struct Known {
    upstream: Arc<dyn Upstream>,
    description: Arc<Description>,
    /// It writes chats otherwise than we would, so it writes its prompts.
    writes_prompts: bool,
}

impl Server {
    /// The server behind `connection`, whose model has this vocabulary.
    pub fn new(connection: Connection, driver: Driver, vocabulary: ServedVocabulary) -> Self {
        Self {
            connection: Arc::new(connection),
            driver,
            vocabulary,
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
    /// An [`UpstreamError`] when it cannot be asked, or when it serves another model than before.
    pub async fn describe(&self, caller: &Caller) -> Result<Arc<Description>, UpstreamError> {
        Ok(self.known(caller).await?.description)
    }

    /// The prompt of `chat` where the server is the one to write it; `None` where its chats are written here.
    ///
    /// # Errors
    /// An [`UpstreamError`] when it cannot be asked, or refuses the chat in every form.
    pub async fn own_prompt(
        &self,
        chat: Arc<[ChatMessage]>,
        caller: &Caller,
    ) -> Result<Option<Vec<TokenId>>, UpstreamError> {
        let known = self.known(caller).await?;
        if !known.writes_prompts {
            return Ok(None);
        }
        let refusal = match known.upstream.prompt(Arc::clone(&chat), caller.clone()).await {
            Err(error) if matches!(error.problem, Problem::Refused { .. }) => error,
            answer => return answer,
        };
        // Its template may take no system message, or want roles to take turns.
        let plain = plain_roles(&chat);
        if *plain == *chat {
            return Err(refusal);
        }
        let answer = known.upstream.prompt(plain.into(), caller.clone()).await;
        answer.map_err(|_| refusal)
    }

    /// How it writes `chat`, to be compared with how it is written here; `None` where it cannot be asked, or writes its prompts itself.
    ///
    /// # Errors
    /// An [`UpstreamError`] when it cannot be asked what it is, or refuses the chat.
    pub async fn comparable_prompt(&self, chat: Arc<[ChatMessage]>) -> Result<Option<Vec<TokenId>>, UpstreamError> {
        let caller = Caller::default();
        match self.writes_prompts(&caller).await? {
            true => Ok(None),
            false => self.prompt(chat, caller).await,
        }
    }

    /// Whether it has turned out to be the one to write its prompts.
    pub async fn writes_prompts(&self, caller: &Caller) -> Result<bool, UpstreamError> {
        Ok(self.known(caller).await?.writes_prompts)
    }

    /// Has it looked at again before the next request.
    pub fn suspect(&self) {
        self.suspect.store(true, Ordering::Release);
    }

    async fn known(&self, caller: &Caller) -> Result<Known, UpstreamError> {
        // The lock is not held while the server is asked: a server that hangs would block every other request.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) if !self.suspect.load(Ordering::Acquire) => Ok(known),
            Some(known) => {
                let looks = look(&self.connection, caller).await?;
                same_model(&known.description, &looks, caller).map_err(|problem| self.connection.problem(problem))?;
                known.upstream.came_back();
                self.suspect.store(false, Ordering::Release);
                Ok(known)
            }
            None => {
                let found = self.meet(caller).await?;
                self.suspect.store(false, Ordering::Release);
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                if known.is_none() {
                    let url = self.connection.url();
                    let Description { driver, signs, .. } = &*found.description;
                    tracing::info!(%url, ?driver, signs, "the upstream is {}", found.description);
                    if found.writes_prompts {
                        tracing::info!(%url, "it writes chats otherwise than local.model's template does, so it is asked for the prompt of each chat");
                    }
                }
                // Another request may have been faster. Its driver has learned more by now.
                Ok(known.get_or_insert(found).clone())
            }
        }
    }

    async fn meet(&self, caller: &Caller) -> Result<Known, UpstreamError> {
        let looks = look(&self.connection, caller).await?;
        let Recognised { driver, host, signs } = self.recognise(&looks, caller).await;
        if let Some(reason) = host.and_then(|host| self.connection.unmet(host.demand?)) {
            return Err(self.connection.problem(Problem::Unusable { reason }));
        }
        let connection = Arc::clone(&self.connection);
        let (upstream, limits): (Arc<dyn Upstream>, RequestLimits) = match driver {
            Driver::Auto | Driver::Vllm => {
                let vllm = Vllm::new(connection);
                let limits = vllm.limits(caller).await;
                (Arc::new(vllm), limits)
            }
            Driver::LlamaCpp => {
                let end = self.vocabulary.tokenizer.end();
                (Arc::new(LlamaCpp::new(connection, end)), llamacpp::LIMITS)
            }
            Driver::Sglang => (Arc::new(Sglang::new(connection)), sglang::LIMITS),
            Driver::Ollama => {
                let model = looks.models.first().map(|model| model.id.clone());
                let tokenizer = Arc::clone(&self.vocabulary.tokenizer);
                (Arc::new(Ollama::new(connection, tokenizer, model)), ollama::LIMITS)
            }
            Driver::Completions => {
                let model = looks.models.first().map(|model| model.id.clone());
                let (tokenizer, host) = (Arc::clone(&self.vocabulary.tokenizer), host.unwrap_or(&UNKNOWN));
                let completions = Completions::connect(connection, tokenizer, host, model, caller).await?;
                let limits = completions.limits();
                (Arc::new(completions), limits)
            }
            Driver::OpenaiChat => {
                let tokenizer = Arc::clone(&self.vocabulary.tokenizer);
                let chat = OpenaiChat::connect(connection, tokenizer, caller).await?;
                (Arc::new(chat), openai_chat::LIMITS)
            }
        };
        let server = match driver {
            Driver::Auto | Driver::Vllm => named("vLLM", version(&self.connection, caller).await),
            Driver::LlamaCpp => "llama.cpp".to_owned(),
            Driver::Sglang => "SGLang".to_owned(),
            Driver::Ollama => named("Ollama", ollama_version(&self.connection, caller).await),
            Driver::Completions | Driver::OpenaiChat => host.unwrap_or(&UNKNOWN).name.to_owned(),
        };
        let description = Arc::new(Description {
            driver,
            signs,
            server,
            models: looks.models,
            limits,
        });
        let served = description.model(caller.model.as_deref());
        let checked = self.vocabulary.check(&*upstream, served, self.connection.url(), caller);
        checked.await.map_err(|problem| self.connection.problem(problem))?;
        let writes_prompts = self.vocabulary.is_written_otherwise(&*upstream, caller).await;
        Ok(Known {
            upstream,
            description,
            writes_prompts,
        })
    }

    /// What it is: as configured, or else as it turns out.
    async fn recognise(&self, looks: &Looks, caller: &Caller) -> Recognised {
        match self.driver {
            Driver::Auto => recognise(&self.connection, looks, caller).await,
            Driver::Completions | Driver::OpenaiChat => {
                let known = known(&self.connection, looks, caller).await;
                let (host, signs) = known.map_or((None, String::new()), |(host, signs)| (Some(host), signs));
                Recognised {
                    driver: self.driver,
                    host,
                    signs: ["upstream.driver", &signs].join(if signs.is_empty() { "" } else { ", and " }),
                }
            }
            driver => Recognised {
                driver,
                host: None,
                signs: "upstream.driver".to_owned(),
            },
        }
    }
}

fn named(name: &str, version: Option<String>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}

impl Upstream for Server {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        async move {
            let known = self.known(&request.caller).await?;
            known.upstream.positions(request).await
        }
        .boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        async move {
            let known = self.known(&request.caller).await?;
            known.upstream.candidates(request).await
        }
        .boxed()
    }

    fn tokenize<'a>(&'a self, text: &'a str, caller: &'a Caller) -> Reply<'a, Option<Vec<TokenId>>> {
        async move { self.known(caller).await?.upstream.tokenize(text, caller).await }.boxed()
    }

    fn prompt(&self, chat: Arc<[ChatMessage]>, mut caller: Caller) -> Reply<'_, Option<Vec<TokenId>>> {
        async move {
            caller.template = self
                .vocabulary
                .tokenizer
                .template_options()
                .overridden_by(&caller.template);
            let known = self.known(&caller).await?;
            known.upstream.prompt(chat, caller).await
        }
        .boxed()
    }
}
