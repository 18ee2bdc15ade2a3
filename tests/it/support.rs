//! What the tests share: servers on free ports, on a runtime that outlives each test.

use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use costeer::http::{App, router};
use costeer::local::{BranchPair, EngineOptions, LocalError, LocalModel, ModelSource, Owner, Precision, SlotPool};
use costeer::service::Service;
use costeer::settings::{Variables, load};
use costeer::testkit::{DemoServer, Pacing};
use costeer::vocabulary::{TokenId, Tokenizer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;

pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

tokio::task_local! {
    /// The servers that a test has started. They end with it, because each proxy holds engines of a small model.
    static SERVERS: Arc<Mutex<Vec<AbortHandle>>>;
}

/// Runs a test's body on the shared runtime, and ends the servers that it has started.
pub fn run<T: Send + 'static>(test: impl Future<Output = T> + Send + 'static) -> T {
    let servers = Arc::default();
    let within = SERVERS.scope(Arc::clone(&servers), test);
    let outcome = RUNTIME.block_on(async move { tokio::spawn(within).await });
    servers.lock().unwrap().iter().for_each(AbortHandle::abort);
    outcome.unwrap()
}

/// Serves `app` on a free port until the test ends. What a task of its own starts is served until the process ends.
pub async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = RUNTIME.spawn(costeer::http::serve(listener, app, pending(), Duration::ZERO));
    let _for_all_tests = SERVERS.try_with(|servers| servers.lock().unwrap().push(server.abort_handle()));
    address
}

/// What is started once, for all tests.
async fn shared(
    address: &'static OnceCell<SocketAddr>,
    start: impl Future<Output = SocketAddr> + Send + 'static,
) -> SocketAddr {
    // In a task of its own, so that it does not end with the test that happens to come first.
    *address
        .get_or_init(|| async { RUNTIME.spawn(start).await.unwrap() })
        .await
}

pub fn options() -> EngineOptions {
    EngineOptions {
        precision: Precision::F32,
        quantisation: None,
        force_cpu: true,
    }
}

/// The shipped LLM behind the demo server, started once.
pub async fn upstream() -> SocketAddr {
    static ADDRESS: OnceCell<SocketAddr> = OnceCell::const_new();
    let start = async {
        let source = ModelSource::locate("--model", "models/tiny/llm").await.unwrap();
        let options = options();
        let server = DemoServer::load(&source, &options, 3, "tiny-llm", Pacing::default());
        serve(server.await.unwrap().router()).await
    };
    shared(&ADDRESS, start).await
}

/// The small model that the tests run with, where it is not the shipped one: `tests/engine/run.sh` sets the variable, which the
/// program heeds as well, to have llama.cpp run it.
static LOCAL_MODEL: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("COSTEER__LOCAL__MODEL").ok());

/// A proxy with these settings on top of the defaults, in front of `upstream`.
pub async fn proxy(upstream: SocketAddr, settings: &[(&'static str, &str)]) -> (Arc<Service>, SocketAddr) {
    // A store and a token of its own; whoever wants to share them names the file.
    let folder = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
    let mut overrides = vec![
        ("upstream.url", format!("http://{upstream}/v1")),
        ("store.path", folder.join("profiles.db").to_string_lossy().into_owned()),
    ];
    if let Some(model) = LOCAL_MODEL.clone() {
        overrides.push(("local.model", model));
        // Threads of llama.cpp wait for each other busily, so tests that run side by side would wait most of the time.
        overrides.push(("local.threads", "1".to_owned()));
    }
    let names = |key| settings.iter().any(|(name, _)| *name == key);
    if !names("local.model") && !names("upstream.tokenizer") {
        // The two write a chat without a system message differently.
        overrides.push(("upstream.tokenizer", "models/tiny/llm".to_owned()));
    }
    overrides.extend(settings.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let app = App::load(&load(None, Variables::Ignore, &overrides).unwrap())
        .await
        .unwrap();
    let address = serve(router(Arc::clone(&app))).await;
    (Arc::clone(app.service()), address)
}

/// The proxy with default settings, started once.
pub async fn default_proxy() -> SocketAddr {
    static ADDRESS: OnceCell<SocketAddr> = OnceCell::const_new();
    let start = async { proxy(upstream().await, &[("local.slots", "2")]).await.1 };
    shared(&ADDRESS, start).await
}

pub fn question(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 96})
}

/// A context that changes the answer to [`question`]s about food.
pub const CONTEXT: &str = "I am vegan. My dog is called Ziggy. Please be formal with me.";
pub const DINNER: &str = "Can you suggest a dinner?";

/// Sends a chat request with extra headers.
pub async fn ask(address: SocketAddr, body: &Value, headers: &[(&'static str, &str)]) -> reqwest::Response {
    post(address, "/v1/chat/completions", body.to_string(), headers).await
}

/// The whole answer to `body`, steered by [`CONTEXT`].
pub async fn steered(address: SocketAddr, path: &str, body: &Value) -> Value {
    let response = post(address, path, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
    let (status, is_steered) = (response.status(), response.headers()["x-costeer-steered"].clone());
    let answer: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(is_steered, "true");
    answer
}

pub async fn post(
    address: SocketAddr,
    path: &str,
    body: impl Into<reqwest::Body>,
    headers: &[(&'static str, &str)],
) -> reqwest::Response {
    let mut request = reqwest::Client::new()
        .post(format!("http://{address}{path}"))
        .header("content-type", "application/json")
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// A request as it is written, which no HTTP client would write.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Where there is none called host, the server's address is sent.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

impl<'a> Raw<'a> {
    pub fn get(path: &'a str, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            method: "GET",
            path,
            headers,
            body: b"",
        }
    }

    pub fn post(path: &'a str, headers: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Self {
        Self {
            method: "POST",
            path,
            headers,
            body,
        }
    }
}

impl Default for Raw<'_> {
    fn default() -> Self {
        Self {
            method: "POST",
            path: "/v1/chat/completions",
            headers: &[],
            body: b"",
        }
    }
}

/// What came back: status, head in small letters, and the body as it was sent. The status is 0 where nothing came.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl RawAnswer {
    /// A header's value; the first where there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(found, value)| (found == name).then_some(value))
    }
}

/// Sends a request on a connection of its own.
pub async fn raw(address: SocketAddr, request: Raw<'_>) -> RawAnswer {
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method, request.path);
    if !request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !request.body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", request.body.len()));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has answered already may have closed its side.
    let _early = stream.write_all(&[head.as_bytes(), request.body].concat()).await;
    let mut answer = Vec::new();
    let _reset = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    RawAnswer {
        status: status.unwrap_or_default(),
        head: head.to_lowercase(),
        text: text.to_owned(),
    }
}

/// The bytes as gzip has them.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// The bytes as HTTP's "deflate" has them.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// What a server counts, in Prometheus' text format.
pub async fn metrics_of(address: SocketAddr) -> String {
    let response = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    response.text().await.unwrap()
}

/// The tokenizer of one of the shipped models, `llm` or `slm`.
pub fn tokenizer(model: &str) -> Tokenizer {
    Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny").join(model)).unwrap()
}

/// The data of every event in a stream.
pub fn events(stream: &str) -> Vec<String> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(str::to_owned).collect()
}

/// The text of a whole answer.
pub fn content(answer: &Value) -> String {
    answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// The text of a streamed answer, and its last chunk with a choice.
pub fn streamed_content(stream: &str) -> (String, Value) {
    let chunks: Vec<Value> = events(stream)
        .iter()
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let deltas = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    let last = chunks.iter().rfind(|chunk| !chunk["choices"][0].is_null());
    (deltas.collect(), last.unwrap().clone())
}

/// Everything a server was sent, as raw text: method, path, headers, body.
#[derive(Clone, Default)]
pub struct Recording(Arc<Mutex<Vec<String>>>);

impl Recording {
    pub fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A server that records what it is sent and passes it on to `upstream`.
pub async fn recorder(upstream: SocketAddr) -> (SocketAddr, Recording) {
    let recording = Recording::default();
    (serve(recorder_router(recording.clone(), upstream)).await, recording)
}

pub fn recorder_router(recording: Recording, upstream: SocketAddr) -> Router {
    Router::new().fallback(record).with_state((recording, upstream))
}

async fn record(
    State((recording, upstream)): State<(Recording, SocketAddr)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = format!("{method} {uri}\n{headers:?}\n{}", String::from_utf8_lossy(&body));
    recording.0.lock().unwrap().push(text);
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let answer = CLIENT
        .get_or_init(reqwest::Client::new)
        .request(method, format!("http://{upstream}{uri}"))
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    response
        .headers_mut()
        .extend(answer.headers().get("content-type").map(|kind| {
            let name = axum::http::header::CONTENT_TYPE;
            (name, kind.clone())
        }));
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    response
}

/// A session's branches on the next free slot.
pub async fn open(
    slots: &Arc<SlotPool>,
    public: &[TokenId],
    private: &[TokenId],
) -> Result<Box<dyn BranchPair>, LocalError> {
    slots.slot(Owner::default()).await?.open(public, private).await
}

/// What is done to the body of a request on its way.
pub type Change = fn(&mut Value);

/// A server that hands requests on to `upstream` after a change to their body.
pub async fn between(upstream: SocketAddr, change: Change) -> SocketAddr {
    async fn forward(State((upstream, change)): State<(SocketAddr, Change)>, uri: Uri, body: Bytes) -> Response {
        let answer = match serde_json::from_slice(&body) {
            Ok(mut body) => {
                change(&mut body);
                post(upstream, uri.path(), body.to_string(), &[]).await
            }
            Err(_) => reqwest::get(format!("http://{upstream}{uri}")).await.unwrap(),
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        response.headers_mut().remove("transfer-encoding");
        *response.body_mut() = Body::from_stream(answer.bytes_stream());
        response
    }
    serve(Router::new().fallback(forward).with_state((upstream, change))).await
}

/// A server that answers every streamed request with these bytes as an event stream, and ends the body.
pub async fn scripted(body: &'static str) -> SocketAddr {
    following(body, false, false).await
}

/// One that does so for the first streamed request only; to others it says nothing. Either way the connection then breaks,
/// or the body ends.
pub async fn dying(body: &'static str, breaks: bool) -> SocketAddr {
    following(body, true, breaks).await
}

async fn following(body: &'static str, once: bool, breaks: bool) -> SocketAddr {
    let models = || async { axum::Json(json!({"data": [{"id": "tiny-llm", "owned_by": "vllm"}]})) };
    let said = Arc::new(AtomicBool::new(false));
    let completions = move |request: String| async move {
        if !request.contains("\"stream\":true") {
            let mut refusal = Response::new(Body::from("{\"detail\":\"not scripted\"}"));
            *refusal.status_mut() = axum::http::StatusCode::NOT_FOUND;
            return refusal;
        }
        let said = if said.swap(once, Ordering::SeqCst) { "" } else { body };
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(said.as_bytes()))]);
        let end = futures::stream::once(async {
            // The part before must have left when the connection breaks.
            tokio::time::sleep(Duration::from_millis(100)).await;
            Err(std::io::Error::other("broken by the test"))
        });
        let end = futures::StreamExt::take(end, usize::from(breaks));
        let mut response = Response::new(Body::from_stream(futures::StreamExt::chain(first, end)));
        let headers = response.headers_mut();
        headers.insert("content-type", "text/event-stream".parse().unwrap());
        response
    };
    let routes = Router::new().route("/v1/models", axum::routing::get(models));
    serve(routes.fallback(completions)).await
}

/// A server that can be killed: it stands before another and relays bytes, until so many events of streams have passed, or
/// until it is told. Then all of its connections break and new ones are refused, as when a process dies.
pub struct Mortal {
    /// It falls silent instead: connections stay open, and nothing comes.
    pub freezes: bool,
    pub address: SocketAddr,
    fuse: Arc<AtomicI64>,
    alive: Arc<AtomicBool>,
    upstream: SocketAddr,
    pub deaths: Arc<AtomicUsize>,
}

impl Mortal {
    /// Dead to begin with. Several may share a fuse: whoever burns it down dies.
    pub fn new(upstream: SocketAddr, fuse: Arc<AtomicI64>) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            freezes: false,
            address: free.local_addr().unwrap(),
            fuse,
            alive: Arc::default(),
            upstream,
            deaths: Arc::default(),
        }
    }

    /// Brings it to life, if it is not alive.
    pub async fn revive(&self) {
        if self.alive.swap(true, Ordering::SeqCst) {
            return;
        }
        let listener = TcpListener::bind(self.address).await.unwrap();
        let (fuse, upstream, deaths) = (Arc::clone(&self.fuse), self.upstream, Arc::clone(&self.deaths));
        let (freezes, alive) = (self.freezes, Arc::clone(&self.alive));
        let live = async move {
            let (kill, mut killed) = tokio::sync::mpsc::channel(1);
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (client, _) = accepted.unwrap();
                        connections.spawn(relay(client, upstream, Arc::clone(&fuse), kill.clone(), freezes));
                    }
                    _ = killed.recv() => break,
                }
            }
            // Whoever sees the death may revive it at once, on the same port.
            drop((listener, connections));
            alive.store(false, Ordering::SeqCst);
            deaths.fetch_add(1, Ordering::SeqCst);
        };
        RUNTIME.spawn(live);
    }
}

/// Copies both ways; nothing more leaves once the fuse has burnt down.
async fn relay(
    mut client: TcpStream,
    upstream: SocketAddr,
    fuse: Arc<AtomicI64>,
    kill: tokio::sync::mpsc::Sender<()>,
    freezes: bool,
) {
    let mut server = TcpStream::connect(upstream).await.unwrap();
    let (mut up, mut down) = ([0; 1 << 16], [0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(count @ 1..) => server.write_all(&up[..count]).await.unwrap(),
                _ => return,
            },
            read = server.read(&mut down) => {
                let Ok(count @ 1..) = read else { return };
                let events = down[..count].windows(6).filter(|bytes| bytes == b"data: ").count() as i64;
                let left = fuse.fetch_sub(events, Ordering::SeqCst);
                // Once it has burnt down, there is nothing to burn.
                if (0..events).contains(&left) {
                    if freezes {
                        return pending().await;
                    }
                    let _dead_already = kill.try_send(());
                    // A reset, as from a process that is gone.
                    let _best_effort = client.set_zero_linger();
                    return;
                }
                if client.write_all(&down[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The real binary, somewhere else than in the source tree, as an installed one would be.
pub fn costeer(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_costeer"));
    command.args(arguments).current_dir(std::env::temp_dir());
    // The configuration of whoever runs the tests must not count.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

/// A server started from the real binary, stopped when the test ends, however it ends.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
}

impl Running {
    /// `costeer serve` with these variables.
    pub async fn serve(variables: &[(&str, &str)]) -> Self {
        Self::start(&["serve"], variables).await
    }

    /// Any command that takes `--listen`; resolves when it accepts connections.
    pub async fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        Self::start_at(address, arguments, variables).await
    }

    /// The same at a given address.
    pub async fn start_at(address: SocketAddr, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = costeer(arguments, variables);
        command.args(["--listen", &address.to_string()]).stderr(Stdio::piped());
        let running = Self {
            child: command.spawn().unwrap(),
            address,
        };
        let start = Instant::now();
        while reqwest::get(format!("http://{address}/v1/models")).await.is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "nothing came up on {address}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        running
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; gives its status and what it logged.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An empty folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Copies the files of a shipped model of the pair into it, all but the weights.
    pub fn copy_without_weights(&self, model: &str) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny").join(model);
        for name in [
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ] {
            std::fs::copy(shipped.join(name), self.0.join(name)).unwrap();
        }
    }

    /// A copy of a shipped model with these tokens in its vocabulary, and with `template` made of its chat template.
    pub fn model(name: &str, tokens: &[&str], special: bool, template: impl FnOnce(&str) -> String) -> Self {
        let folder = Self::new();
        folder.copy_without_weights(name);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny").join(name);
        std::fs::copy(
            shipped.join("model.safetensors"),
            folder.path().join("model.safetensors"),
        )
        .unwrap();
        let read =
            |file: &str| -> Value { serde_json::from_slice(&std::fs::read(folder.file(file)).unwrap()).unwrap() };
        let write = |file: &str, value: Value| std::fs::write(folder.file(file), value.to_string()).unwrap();
        let mut vocabulary = read("tokenizer.json");
        let added = vocabulary["added_tokens"].as_array_mut().unwrap();
        // The shipped models have two rows more than tokens.
        for (id, name) in (3454..).zip(tokens) {
            added.push(json!({
                "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
                "special": special,
            }));
        }
        write("tokenizer.json", vocabulary);
        let mut configuration = read("tokenizer_config.json");
        configuration["chat_template"] = template(configuration["chat_template"].as_str().unwrap()).into();
        write("tokenizer_config.json", configuration);
        folder
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// What stands between each `before` and the next `after`.
pub fn enclosed(text: &str, before: &str, after: char) -> BTreeSet<String> {
    let parts = text.split(before).skip(1);
    parts
        .filter_map(|rest| rest.split(after).next())
        .map(str::to_owned)
        .collect()
}
