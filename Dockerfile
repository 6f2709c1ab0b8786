# One image for web, worker and scheduler; docker-compose.yml gives each its command.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE package.json package-lock.json manage.py ./
COPY platform platform
COPY apps apps
COPY templates templates
COPY static static
COPY locale locale
RUN python -m venv /opt/consilience
ENV PATH=/opt/consilience/bin:$PATH
# --build-arg TORCH_INDEX=<address> takes torch from another package index, for instance the PyTorch project's own of CPU builds
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
RUN pip install --no-cache-dir -c constraints.txt polib \
    && PYTHONPATH=platform python -m consilience.assets \
    && python -c "import pathlib, polib; [polib.pofile(str(p)).save_as_mofile(str(p.with_suffix('.mo'))) for p in pathlib.Path('locale').glob('*/LC_MESSAGES/*.po')]"
RUN pip install --no-cache-dir -c constraints.txt ".[production]"

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libsndfile1 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 consilience && install -d -o consilience /data
COPY --from=build /opt/consilience /opt/consilience
ENV PATH=/opt/consilience/bin:$PATH CONSILIENCE_HOME=/data PYTHONUNBUFFERED=1 CELERY_SKIP_CHECKS=1
USER consilience
VOLUME /data
EXPOSE 8000
CMD ["consilience", "serve", "--host", "0.0.0.0", "--port", "8000"]
