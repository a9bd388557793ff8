# syntax=docker/dockerfile:1
FROM python:3.13-slim-bookworm AS builder
WORKDIR /build
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/naga \
 && /opt/naga/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt \
 && python -m pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md ./
COPY lti_tool lti_tool
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/naga/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/naga --create-home naga \
 && install -d -o naga -g naga /srv/naga/keys /srv/naga/var
COPY --from=builder /opt/naga /opt/naga
ENV PATH=/opt/naga/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER naga
WORKDIR /srv/naga
VOLUME ["/srv/naga/keys", "/srv/naga/var"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Threads: a platform fetches our key set while we ask it for a token.
CMD ["nagasis", "serve", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8"]
