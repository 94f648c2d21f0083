# One image with the four programs. `docker build .` makes the small one: static programs and nothing else, no shell, no
# package manager. `--build-arg VARIANT=wgpu` makes the one that trains on a graphics card: it needs the system's
# dynamic linker and the Vulkan loader, and so Debian below it, which is larger and has a shell.
#
# The same commit gives the same programs, byte for byte: paths are those of the build container, times that of
# SOURCE_DATE_EPOCH (`git log -1 --format=%ct`), and Cargo.lock names every dependency.
ARG VARIANT=cpu

FROM rust:1.95-slim-bookworm AS rust
WORKDIR /source

# Every manifest with an empty program, library or build script beside it: as long as these are the same, the next stage is
# cached.
FROM rust AS manifests
COPY Cargo.toml Cargo.lock ./
COPY crates crates
RUN find crates -type f ! -regex 'crates/[^/]*/\(Cargo.toml\|build.rs\|src/\(lib\|main\).rs\)' -delete \
    && find crates -type d -empty -delete \
    && find crates -name lib.rs -exec sh -c ': > "$1"' _ {} \; \
    && find crates \( -name main.rs -o -name build.rs \) -exec sh -c 'echo "fn main() { }" > "$1"' _ {} \;

# What others wrote, compiled once for all our changes.
FROM rust AS dependencies
ARG VARIANT
COPY --from=manifests /source ./
COPY .docker/build .docker/build
RUN .docker/build

FROM dependencies AS programs
ARG VARIANT
COPY crates crates
# Cargo goes by times, and those of a checkout are older than the empty libraries above.
RUN find crates -type f -exec touch {} + && .docker/build /image/usr/bin
# Named only now: build scripts look at this variable, and would run again.
ARG SOURCE_DATE_EPOCH=0
RUN find /image -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch AS cpu

FROM debian:bookworm-slim AS wgpu
ARG VARIANT
# A builder that makes every stage makes this one in vain, so it does nothing where nobody asked for it.
RUN test "$VARIANT" != wgpu || { apt-get update --quiet \
    && apt-get install --yes --quiet --no-install-recommends libvulkan1 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/*; }

FROM ${VARIANT}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Slipway" \
    org.opencontainers.image.description="Trains a classifier of handwritten digits, serves it and proves it" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.revision="$REVISION"
COPY --from=programs /image /
ENV PATH=/usr/bin
# Nobody in particular: no file of the image belongs to this user, and none is written.
USER 65532:65532
ENTRYPOINT ["/usr/bin/pipeline"]
