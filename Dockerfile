# The server with the model that the package ships, for a user without rights:
#   docker build -t asr .
#   docker run --rm -p 127.0.0.1:8000:8000 -e ASR_API_KEY --read-only --tmpfs /tmp:size=8g asr

FROM python:3.13-slim AS build
COPY . /src
RUN python -m venv /asr && /asr/bin/pip install --no-cache-dir -c /src/constraints.txt '/src[serve,media]'
# compiles the search, for processors like this one and a user who may only read it
ENV XDG_CACHE_HOME=/asr/cache
RUN /asr/bin/asr transcribe /src/recipes/demo/speech.wav && chmod -R a+rX /asr/cache

FROM python:3.13-slim
COPY --from=build /asr /asr
ENV XDG_CACHE_HOME=/asr/cache
USER 65534:65534
EXPOSE 8000
HEALTHCHECK CMD ["/asr/bin/python", "-c", "import http.client as h, sys; c = h.HTTPConnection('127.0.0.1', 8000, timeout=5); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["/asr/bin/asr", "serve", "--host", "0.0.0.0"]
