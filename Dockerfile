# A server in a container: docker build -t minimax-realtime . && docker run -p 8000:8000 -e MINIMAX_API_KEY -e REALTIME_API_KEYS minimax-realtime
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libportaudio2 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements/run-3.12.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/run-3.12.txt
COPY pyproject.toml README.md LICENSE ./
COPY realtime realtime
COPY clients clients
COPY web web
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && useradd --create-home realtime
USER realtime
EXPOSE 8000
HEALTHCHECK CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"
# On all addresses, the server needs REALTIME_API_KEYS (or --open).
CMD ["realtime", "serve", "--host", "0.0.0.0"]
