# An image with the proxy and the tiny pair.
#
#   docker build -t costeer .
#   docker run --rm -p 127.0.0.1:8089:8089 -e COSTEER__UPSTREAM__URL=http://gpu-machine:8000/v1 costeer
#
# The proxy has no login: publish its port to localhost only, as above. Inside the container 127.0.0.1 is the container, so the
# upstream needs an address that is reachable from there. The local model is models/tiny/slm unless COSTEER__LOCAL__MODEL says
# otherwise; mount a volume at /home/costeer/.cache/huggingface to keep models named by hub id.
#
# On x86-64 the image needs a CPU with AVX2 and FMA (.cargo/config.toml).

FROM rust:1-bookworm AS builder
WORKDIR /build
# .dockerignore keeps build outputs out; .cargo comes along and sets the target CPU.
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
# ca-certificates: for https upstreams and the model hub. curl: for the health check, which the slim image has nothing else for.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 costeer
COPY --from=builder /build/target/release/costeer /usr/local/bin/costeer
# Relative model paths are looked up under ../share/costeer of the executable.
COPY models/tiny /usr/local/share/costeer/models/tiny
USER costeer
WORKDIR /home/costeer
# Inside the container every interface; what reaches it is decided by how the port is published.
ENV COSTEER__SERVER__LISTEN=0.0.0.0:8089
EXPOSE 8089
# The model loads before the first answer, hence the start period.
HEALTHCHECK --interval=30s --timeout=3s --start-period=2m \
    CMD curl --fail --silent --show-error http://127.0.0.1:8089/healthz || exit 1
ENTRYPOINT ["costeer"]
CMD ["serve"]
