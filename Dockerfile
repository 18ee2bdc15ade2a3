# An image with the proxy and the tiny pair.
#
#   docker build -t costeer .
#   docker run --rm costeer demo --once
#   docker run --rm --init -p 127.0.0.1:8089:8089 -v costeer-models:/models \
#       -e COSTEER__SERVER__API_KEY=choose-one -e COSTEER__UPSTREAM__URL=http://gpu-machine:8000/v1 costeer
#
# Without a key it does not start, because it listens on every interface. Publish the port to localhost only, as above. Inside the container 127.0.0.1 is the container, so the
# upstream needs an address that is reachable from there. The local model is the tiny one unless COSTEER__LOCAL__MODEL says otherwise: a
# path under /models, or a hub id, which is fetched into /models once. --init lets Ctrl-C end it while it is still loading.
#
# On x86-64 the image needs a CPU with AVX2 and FMA. For any: docker build --build-arg TARGET_CPU=x86-64; the quantised kernels are then
# about nine times slower.
#
# Both engines are in it: llama.cpp runs GGUF files, mistral.rs everything else. --build-arg FEATURES= leaves llama.cpp out.

FROM rust:1.95-bookworm AS builder
# llama.cpp is built by cmake, and its header is read with libclang. Not pinned, as below.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake libclang-dev \
    && rm -rf /var/lib/apt/lists/*
ARG TARGET_CPU=x86-64-v3
# The crate could choose llama.cpp's CPU kernels at run time (its feature dynamic-backends). They are shared libraries then, which it looks for
# beside the program. This image is one program in a bare root, so the kernels are compiled in, for TARGET_CPU.
ARG FEATURES=llamacpp
WORKDIR /build
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
# Never compiled here, but Cargo.toml names them, and cargo wants them to exist.
COPY benches benches
COPY config config
COPY src src
COPY deploy/build.sh deploy/build.sh
# Dependencies, which take 15 to 25 minutes, stay compiled in a cache mount. cargo-chef would keep them in a layer instead, but it has to be
# installed first, and a layer is lost as a whole when Cargo.lock changes in one line. Needs BuildKit (Docker 23 has it on), Podman or Buildah.
# The touch: cargo goes by the files' times, and a source that is older than the last build would not be compiled, though its text is new.
RUN --mount=type=cache,id=costeer-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=costeer-target,target=/build/target,sharing=locked \
    touch src/lib.rs src/main.rs \
    && CARGO_TARGET_DIR="target/$(uname -m)" deploy/build.sh /out

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="CoSteer proxy" \
      org.opencontainers.image.description="Personalises a big model's answers without showing it anything private" \
      org.opencontainers.image.licenses="Apache-2.0"
# ca-certificates: for https upstreams and the model hub; the HTTP client refuses to start without. Its version is not pinned: Debian keeps
# only the newest, and that is the one to have.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 costeer \
    && useradd --uid 10001 --gid costeer --no-create-home --home-dir /models --shell /usr/sbin/nologin costeer \
    && install --directory --owner=costeer --group=costeer /models \
    && install --directory --owner=costeer --group=costeer --mode=0700 /profiles
# Relative model paths are looked up under ../share/costeer of the executable.
COPY models/tiny /usr/local/share/costeer/models/tiny
COPY LICENSE /usr/local/share/costeer/LICENSE
COPY --from=builder /out/costeer /usr/local/bin/costeer
# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
# A library that the slim image lacks is noticed here and not by who runs the image.
RUN ["costeer", "--version"]
# Listen on every interface of the container; what reaches it is decided by how the port is published, and needs a key. The hub's files go into the volume.
# HOME also for users without an entry in /etc/passwd (docker run --user): the hub's client does not work without.
ENV COSTEER__SERVER__LISTEN=0.0.0.0:8089 \
    COSTEER__STORE__PATH=/profiles/profiles.db \
    HF_HOME=/models/huggingface \
    HOME=/models
EXPOSE 8089
VOLUME /models /profiles
# The model is fetched and loaded before the first answer, hence the start period.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10m --retries=3 CMD ["costeer", "health"]
ENTRYPOINT ["costeer"]
CMD ["serve"]
