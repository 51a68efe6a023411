# Doorbell in a container: one binary on a distroless Debian, without a shell, as a user that owns nothing but its data.
#
#   docker build -t doorbell .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     -p 127.0.0.1:8080:8080 -v doorbell:/var/lib/doorbell --env-file doorbell.env doorbell
#
# It starts in production mode, and says what that lacks: docs/operating.md has an example of doorbell.env.

FROM rust:1.95.0-bookworm AS build
# The toolchain that the image has, so that rustup fetches no other for rust-toolchain.toml's sake.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
# libpq, OpenSSL and SQLite are compiled in: what runs needs glibc and nothing else.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package api \
    && install -D target/release/doorbell /out/usr/local/bin/doorbell \
    && install -d /out/var/lib/doorbell

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=root:root /out/usr/local/bin/doorbell /usr/local/bin/doorbell
COPY --from=build --chown=nonroot:nonroot --chmod=0700 /out/var/lib/doorbell /var/lib/doorbell
ENV DATABASE_URL=sqlite:///var/lib/doorbell/doorbell.db \
    DOORBELL_LISTEN=0.0.0.0:8080 \
    DOORBELL_MODE=production
WORKDIR /var/lib/doorbell
VOLUME /var/lib/doorbell
EXPOSE 8080
USER nonroot:nonroot
# There is no curl: the binary asks itself, at DOORBELL_LISTEN.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/local/bin/doorbell", "health"]
# SIGTERM, which docker stop sends, lets requests in flight finish; give it 30 seconds (docker stop -t 30).
ENTRYPOINT ["/usr/local/bin/doorbell"]
CMD ["serve"]
