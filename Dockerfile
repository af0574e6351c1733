# One file in an image without a shell. `docker build .` makes it for the machine at hand;
# `docker buildx build --platform linux/amd64,linux/arm64 .` for both, each built by a machine (or an emulator) of its kind.

# A tag may be moved to another image, a digest never. `docker buildx imagetools inspect oven/bun:1.4.5` tells it:
#   docker build --build-arg BUN_IMAGE=oven/bun:1.4.5@sha256:... --build-arg BASE_IMAGE=gcr.io/distroless/base-debian12@sha256:... .
ARG BUN_IMAGE=oven/bun:1.4.5
ARG BASE_IMAGE=gcr.io/distroless/base-debian12:latest

FROM ${BUN_IMAGE} AS build
WORKDIR /app
# What others have written changes seldom: a layer of its own, made again only when these change.
COPY package.json bun.lock bunfig.toml ./
COPY patches patches
RUN bun install --frozen-lockfile --production
COPY . .
RUN bun run build && mkdir -p /made/data/media

# glibc, certificates and time zones; the binary brings everything else.
FROM ${BASE_IMAGE}
COPY --from=build /app/out/echochat /echochat
COPY --from=build --chown=65534:65534 /made/data /data
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
USER 65534:65534
VOLUME /data
EXPOSE 3000
# It asks the server of its own container whether it is ready. The first start makes the tables.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD ["/echochat", "health"]
# Says goodbye to its pages, writes what is under way and exits with 0: within six seconds, so give it more than that.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/echochat"]
