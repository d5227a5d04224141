FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE ./
COPY twin twin
COPY api api
COPY topologies topologies
RUN python -m venv /opt/twin && /opt/twin/bin/pip install --no-cache-dir '.[postgres]'

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data twin && mkdir /data && chown twin:twin /data
COPY --from=build /opt/twin /opt/twin
ENV PATH=/opt/twin/bin:$PATH \
    NUMBA_CACHE_DIR=/data/kernels \
    TWIN_HOST=0.0.0.0 \
    TWIN_PORT=8000 \
    TWIN_DATA=/data/networks \
    TWIN_LOG_FORMAT=json
USER twin
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["twin"]
CMD ["serve"]
