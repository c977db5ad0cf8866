# A server in a container: docker build -t minimax-realtime . && docker run -p 8000:8000 -e MINIMAX_API_KEY -e REALTIME_API_KEYS minimax-realtime
FROM python:3.12.12-slim-bookworm
# GPL=yes also installs the sandbox's voice (espeak-ng, GPL-3); with a key of the platform nobody needs it.
ARG GPL=no
RUN apt-get update && apt-get install -y --no-install-recommends libportaudio2 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements/run-3.12.txt requirements/dev-3.12.txt requirements/
# Of the second list only the client of Redis (REALTIME_REDIS), which nobody needs who runs one server without it
RUN awk -v gpl="$GPL" '/^[a-zA-Z0-9]/ { skip = gpl != "yes" && /^espeakng-loader==/ } !skip' requirements/run-3.12.txt > requirements/image.txt \
    && awk '/^[a-zA-Z0-9]/ { keep = /^(redis|hiredis)==/ } keep' requirements/dev-3.12.txt >> requirements/image.txt \
    && pip install --no-cache-dir --require-hashes -r requirements/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY realtime realtime
COPY clients clients
COPY web web
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && useradd --create-home realtime
USER realtime
# Settings as variables, not as flags: the health check reads them too. On all addresses, the server needs
# REALTIME_API_KEYS (or REALTIME_OPEN=yes).
ENV REALTIME_HOST=0.0.0.0 REALTIME_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["realtime", "doctor", "--health"]
# `docker stop` waits 10 s before it kills: REALTIME_DRAIN_S (5 s) and what follows it fit into that.
STOPSIGNAL SIGTERM
CMD ["realtime", "serve"]
