"""Opens the index that the settings name: a folder below DATA_DIR, or the cluster at INDEX_URL."""

from __future__ import annotations

import logging

from pipeline.errors import NotInstalled, SearchFault
from pipeline.retrieval import Index
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.embedding import NO_MODEL, embedding_of
from pipeline.retrieval.reranking import reranker_of
from pipeline.settings import Settings

_log = logging.getLogger(__name__)


def open_index(settings: Settings) -> Index:
    """Open the index. Blocks. Raises IndexTaken, NotInstalled, and SearchFault for a cluster that cannot be reached.

    If DATA_DIR cannot be written, documents last until the process ends, and the log says so.
    """
    secret = settings.embedding_api_key
    name = settings.embedding_model or (NO_MODEL if settings.index_url else "")
    embedding = embedding_of(name, settings.embedding_api_base, secret.get_secret_value() if secret else None)
    reranker = reranker_of(settings.rerank_model, settings.rerank_api_base)
    if settings.index_url:
        try:
            from qdrant_client import QdrantClient

            from pipeline.retrieval.cluster import ClusterIndex
        except ImportError:
            raise NotInstalled("qdrant-client", "INDEX_URL") from None
        key = settings.index_api_key
        try:
            client = QdrantClient(settings.index_url, api_key=key.get_secret_value() if key else None)
        except Exception as error:
            raise SearchFault from error
        shards, replicas = settings.index_shards, settings.index_replicas
        return ClusterIndex(client, embedding, reranker, shards=shards, replicas=replicas)
    try:
        return EdgeIndex(settings.data_dir / "index", embedding, reranker)
    except SearchFault:
        _log.error(
            "The index cannot be kept, so documents last as long as this process. Set DATA_DIR to another folder."
        )
        return EdgeIndex.temporary(embedding, reranker)
