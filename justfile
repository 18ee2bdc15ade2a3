# The habits. Without just: each recipe is one command that can be typed as it stands.

# What there is.
default:
    @just --list

# Format the code.
fmt:
    cargo fmt

# Clippy, warnings being errors.
lint:
    cargo clippy --all-targets --release --locked -- -D warnings

# The tests. Arguments go to cargo, for example "just test --lib".
test *ARGUMENTS:
    cargo test --release --locked {{ ARGUMENTS }}

# The long proofs, which the tests leave out.
proofs:
    cargo test --release --locked --test it -- --ignored --skip conformity

# One of the measurements in benches/README.md, for example "just bench arithmetic".
bench NAME *ARGUMENTS:
    cargo bench --bench {{ NAME }} -- {{ ARGUMENTS }}

# The shipped pair: a showcase, then the proxy on http://127.0.0.1:8089/v1.
demo *ARGUMENTS:
    cargo run --release --locked -- demo {{ ARGUMENTS }}

# A real pair. MODEL is the small one: a folder, a GGUF file or a hub id; URL is the big one's server, ending in /v1.
pair MODEL URL:
    COSTEER__LOCAL__MODEL='{{ MODEL }}' COSTEER__UPSTREAM__URL='{{ URL }}' cargo run --release --locked -- serve

# Everything that must pass before a change lands.
ci:
    .ci/run

# The book, into target/book.
docs:
    mdbook build docs

# The book's page of settings, after a change of config/default.toml.
settings:
    docs/settings.py > docs/src/reference/settings.md
