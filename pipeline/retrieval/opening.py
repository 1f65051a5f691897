"""Settings → the index in force: a folder below DATA_DIR, or a cluster where STORE_URL names one."""

from __future__ import annotations

import logging

from pipeline.errors import NotInstalled, SearchFault
from pipeline.retrieval import Index
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.embedding import embedding_of
from pipeline.retrieval.reranking import reranker_of
from pipeline.settings import Settings

_log = logging.getLogger(__name__)


def opened(settings: Settings) -> Index:
    """Open it. Blocks. Raises IndexTaken, NotInstalled, and SearchFault for a cluster that cannot be reached.

    Where DATA_DIR cannot be written, documents are kept until the process ends: that is said in the log.
    """
    embedding = embedding_of(settings.embedding_model, settings.embedding_api_base)
    reranker = reranker_of(settings.rerank_model, settings.rerank_api_base)
    if settings.store_url:
        try:
            from qdrant_client import QdrantClient

            from pipeline.retrieval.cluster import ClusterIndex
        except ImportError:
            raise NotInstalled("qdrant-client", "STORE_URL") from None
        key = settings.store_api_key
        try:
            client = QdrantClient(settings.store_url, api_key=key.get_secret_value() if key else None)
        except Exception as error:
            raise SearchFault from error
        shards, replicas = settings.store_shards, settings.store_replicas
        return ClusterIndex(client, embedding, reranker, shards=shards, replicas=replicas)
    try:
        return EdgeIndex(settings.data_dir / "index", embedding, reranker)
    except SearchFault:
        _log.error(
            "The index cannot be kept, so documents last as long as this process. Set DATA_DIR to another folder."
        )
        return EdgeIndex.temporary(embedding, reranker)
