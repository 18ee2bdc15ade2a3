use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use zeroize::Zeroizing;

use super::template::{ChatTemplate, ChatWriter, SystemRole};
use super::{
    ChatMessage, Lexicon, ModelFiles, TemplateOptions, TokenBytes, TokenId, VocabularyError, gguf, tokenizer_file,
};

/// A tokenizer with its chat template and the roles of its special tokens.
pub struct Tokenizer {
    /// The directory or file that it came from.
    source: PathBuf,
    inner: tokenizers::Tokenizer,
    chats: ChatWriter,
    bytes: TokenBytes,
    /// Made when it is first needed.
    lexicon: OnceLock<Lexicon>,
    end: TokenId,
    ends: Vec<TokenId>,
    selectable: Vec<bool>,
    /// Found when it is first needed.
    structure: OnceLock<Vec<TokenId>>,
    /// Specials that stand for nothing that anybody says: what begins a text, fills it up, or is not known.
    technical: Vec<TokenId>,
    longest: usize,
}

impl Tokenizer {
    /// Loads `tokenizer.json` and its neighbours from a model directory, or all of it from a GGUF file.
    ///
    /// # Errors
    /// A [`VocabularyError`] that names the file when one is missing or broken, or when nothing says which token ends a
    /// turn.
    pub fn load(source: &Path) -> Result<Self, VocabularyError> {
        Self::load_with(source, TemplateOptions::default())
    }

    /// [`Self::load`], with options that are rendered into every chat.
    ///
    /// # Errors
    /// As for [`Self::load`], and when the chat template cannot write any chat with these options.
    pub fn load_with(source: &Path, options: TemplateOptions) -> Result<Self, VocabularyError> {
        let path = if gguf::is_gguf(source) {
            source.to_owned()
        } else {
            source.join("tokenizer.json")
        };
        let inner = tokenizer_file::read(&path)?;
        let files = ModelFiles::read(source)?;
        let size = tokenizer_file::vocabulary_size(&inner);
        let specials: HashSet<u32> = inner
            .get_added_tokens_decoder()
            .into_iter()
            .filter_map(|(id, token)| token.special.then_some(id))
            .collect();
        let named_end = files
            .special_text("eos_token")
            .and_then(|text| inner.token_to_id(&text));
        let mut ends: Vec<TokenId> = files.end_ids().into_iter().chain(named_end).map(TokenId).collect();
        ends.sort_unstable();
        ends.dedup();
        ends.retain(|id| id.index() < size);
        let Some(end) = named_end.map(TokenId).or_else(|| ends.first().copied()) else {
            let reason = "nothing beside it says which token ends a turn (eos_token_id in generation_config.json or config.json, \
                          eos_token in tokenizer_config.json)";
            return Err(VocabularyError::Broken {
                path,
                reason: reason.into(),
            });
        };
        let selectable = (0..size)
            .map(|index| {
                let id = index as u32;
                inner.id_to_token(id).is_some() && (!specials.contains(&id) || ends.contains(&TokenId(id)))
            })
            .collect();
        let bytes = TokenBytes::of(&inner, size, &specials);
        let longest = (0..size as u32).map(|id| bytes.get(TokenId(id)).len()).max();
        Ok(Self {
            longest: longest.unwrap_or(1).max(1),
            bytes,
            chats: chats(&files, options)?,
            lexicon: OnceLock::new(),
            structure: OnceLock::new(),
            technical: ["bos_token", "pad_token", "unk_token"]
                .into_iter()
                .filter_map(|name| inner.token_to_id(&files.special_text(name)?).map(TokenId))
                .collect(),
            source: source.to_owned(),
            inner,
            end,
            ends,
            selectable,
        })
    }

    /// The prompt for `messages`, as ids, ending where the assistant's answer begins.
    ///
    /// # Errors
    /// [`VocabularyError::Template`] when the template refuses the messages.
    pub fn chat_prompt(&self, messages: &[ChatMessage]) -> Result<Vec<TokenId>, VocabularyError> {
        self.chat_prompt_with(messages, &[], &TemplateOptions::default())
    }

    /// [`Self::chat_prompt`], with tools that may be called, in OpenAI's form, and with options of the request for the template. A
    /// template that knows no tools writes neither them nor calls.
    ///
    /// # Errors
    /// As for [`Self::chat_prompt`].
    pub fn chat_prompt_with(
        &self,
        messages: &[ChatMessage],
        tools: &[Value],
        options: &TemplateOptions,
    ) -> Result<Vec<TokenId>, VocabularyError> {
        self.encode_chat(self.chats.prompt(messages, tools, options))
    }

    /// The prompt for `messages`, as ids, ending where the last of them does, which is one of the assistant's.
    ///
    /// # Errors
    /// As for [`Self::chat_prompt`].
    pub fn begun_prompt(
        &self,
        messages: &[ChatMessage],
        tools: &[Value],
        options: &TemplateOptions,
    ) -> Result<Vec<TokenId>, VocabularyError> {
        self.encode_chat(self.chats.begun(messages, tools, options))
    }

    fn encode_chat(&self, written: Result<String, String>) -> Result<Vec<TokenId>, VocabularyError> {
        let text = written
            .map(Zeroizing::new)
            .map_err(|reason| VocabularyError::Template {
                path: self.source.clone(),
                reason,
            })?;
        self.encode(&text)
    }

    /// Whether the chat template writes which tools there are.
    pub fn writes_tools(&self) -> bool {
        self.chats.writes_tools()
    }

    /// Whether the chat template writes calls and what tools say.
    pub fn writes_calls(&self) -> bool {
        self.chats.writes_calls()
    }

    /// How the chat template treats what the system says.
    pub fn system_role(&self) -> SystemRole {
        self.chats.system_role()
    }

    /// The system message that the chat template writes by itself into a chat that has none.
    pub fn own_system(&self, options: &TemplateOptions) -> Option<String> {
        self.chats.own_system(options)
    }

    /// The ids of `text` as a prompt that is continued as it is. They begin with what the model expects before any text.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn text_prompt(&self, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
        self.encoded(text, true)
    }

    /// The ids of `text`, special tokens in it recognised, none added.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn encode(&self, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
        self.encoded(text, false)
    }

    fn encoded(&self, text: &str, add_special_tokens: bool) -> Result<Vec<TokenId>, VocabularyError> {
        let encoding = self
            .inner
            .encode_fast(text, add_special_tokens)
            .map_err(|error| VocabularyError::Encode {
                path: self.source.clone(),
                reason: error.to_string(),
            })?;
        Ok(encoding.get_ids().iter().copied().map(TokenId).collect())
    }

    /// Bytes of the longest token.
    pub fn longest_token(&self) -> usize {
        self.longest
    }

    /// The bytes behind every id.
    pub fn bytes(&self) -> &TokenBytes {
        &self.bytes
    }

    /// The token for people to read: its text, with U+FFFD for bytes that are no whole character. Its name where it has no text.
    pub fn shown(&self, id: TokenId) -> String {
        match self.bytes.get(id) {
            [] => self.name(id),
            bytes => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The token that stands for exactly these bytes; the first in the lexicon where there are several. The bytes may also be the
    /// name of a token that ends a turn.
    pub fn token_of(&self, bytes: &[u8]) -> Option<TokenId> {
        let lexicon = self.lexicon();
        let end_named = || {
            let id = self.inner.token_to_id(std::str::from_utf8(bytes).ok()?)?;
            Some(TokenId(id)).filter(|id| self.ends.contains(id))
        };
        let ordinary = lexicon.exactly(bytes).next().map(|place| lexicon.id(place));
        ordinary.or_else(end_named)
    }

    /// The tokens that stand for text. Of tokens with the same bytes, the usual one comes before a lone byte, which is a last resort
    /// (`A` before `<0x41>`).
    pub fn lexicon(&self) -> &Lexicon {
        self.lexicon.get_or_init(|| {
            let ids = || (0..self.selectable.len() as u32).map(TokenId);
            let ordinary = |id: &TokenId| self.selectable[id.index()] && !self.ends.contains(id);
            let written = ids().filter(|id| ordinary(id) && !self.is_lone_byte(*id));
            let lone = ids().filter(|id| ordinary(id) && self.is_lone_byte(*id));
            Lexicon::new(written.chain(lone).map(|id| (id, self.bytes.get(id))))
        })
    }

    /// Whether a token is a single byte written as its number, which SentencePiece falls back on.
    pub fn is_lone_byte(&self, id: TokenId) -> bool {
        self.bytes.get(id).len() == 1 && self.name(id).starts_with("<0x")
    }

    /// What the tokenizer's file calls a token; empty for a hole.
    pub fn name(&self, id: TokenId) -> String {
        self.inner.id_to_token(id.0).unwrap_or_default()
    }

    /// Ids of the special tokens, which stand for no text, ascending.
    pub fn specials(&self) -> impl Iterator<Item = TokenId> {
        let ids = (0..self.selectable.len() as u32).map(TokenId);
        ids.filter(|id| self.bytes.get(*id).is_empty() && !self.name(*id).is_empty())
    }

    /// The token that the tokenizer's file calls so.
    pub fn id_of(&self, name: &str) -> Option<TokenId> {
        self.inner.token_to_id(name).map(TokenId)
    }

    /// The chat template as it is written.
    pub fn template_source(&self) -> &str {
        self.chats.source()
    }

    /// The options that are rendered into every chat.
    pub fn template_options(&self) -> &TemplateOptions {
        self.chats.options()
    }

    /// What the chat template puts between the prompt and the answer that follows: empty, or the space that some families begin
    /// their answers with.
    pub fn lead(&self) -> Vec<u8> {
        self.chats.lead()
    }

    /// Ids that end the assistant's turn, ascending; never empty.
    pub fn ends(&self) -> &[TokenId] {
        &self.ends
    }

    /// The id that ends the assistant's turn by default.
    pub fn end(&self) -> TokenId {
        self.end
    }

    /// Which ids may be picked, shape `[vocabulary]`: real tokens (no padding rows) that are ordinary or end the turn.
    pub fn selectable(&self) -> &[bool] {
        &self.selectable
    }

    /// Special tokens that the chat template writes where the assistant speaks, ascending: marks of thoughts, channels and calls. All
    /// others, such as what begins a text or another's turn, are nothing that an answer may have.
    pub fn structure(&self) -> &[TokenId] {
        self.structure.get_or_init(|| {
            let turns = self.chats.assistant_turns();
            let mut ids: Vec<TokenId> = Vec::new();
            for turn in &turns {
                let written = self.encode(turn).unwrap_or_default().into_iter();
                // Some templates go on with the next turn.
                ids.extend(written.take_while(|id| !self.ends.contains(id)));
            }
            let is_special = |id: &TokenId| self.bytes.get(*id).is_empty() && !self.technical.contains(id);
            ids.retain(is_special);
            ids.sort_unstable();
            ids.dedup();
            ids
        })
    }

    /// Whether every id stands for the same bytes in both, and the same ids end a turn.
    pub fn same_vocabulary(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.ends == other.ends && self.selectable == other.selectable
    }
}

/// What writes the model's chats.
fn chats(files: &ModelFiles, options: TemplateOptions) -> Result<ChatWriter, VocabularyError> {
    let broken = |reason: String| VocabularyError::Broken {
        path: files.template_path.clone(),
        reason,
    };
    let source = files.chat_template.clone().ok_or_else(|| {
        broken(
            "it has no chat_template, and there is no chat_template.jinja beside it; use an instruction-tuned model"
                .into(),
        )
    })?;
    let template = ChatTemplate::compile(source, files.special_texts()).map_err(broken)?;
    ChatWriter::new(template, options).map_err(|reason| {
        broken(format!(
            "its chat template cannot write even a single question: {reason}"
        ))
    })
}
