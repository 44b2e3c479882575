# One image for every process of Argus: the command tells which (api, worker, migrate).
FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app argus
WORKDIR /app
COPY requirements.lock pyproject.toml README.md ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY argus argus
COPY gql gql
COPY workers workers
COPY domain domain
COPY graph graph
COPY runtime runtime
COPY migrations migrations
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
USER argus
EXPOSE 8000
ENTRYPOINT ["argus"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]
