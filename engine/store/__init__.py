"""Campaigns on disk: immutable Parquet parts, their receipts, views for SQL, a sealed file when finished."""

from engine.store.layout import store_path
from engine.store.records import (
    CampaignStatus,
    CampaignSummary,
    CurveData,
    ImageCounts,
    LayerProgress,
    NewCampaign,
    Outcome,
    Receipt,
    Span,
    State,
)
from engine.store.state.commands import Action, Effect
from engine.store.state.heartbeat import Activity, WorkerStatus
from engine.store.state.queue import QueueView
from engine.store.store import Store
from engine.store.write.writer import CampaignWriter

__all__ = [
    "Action",
    "Activity",
    "CampaignStatus",
    "CampaignSummary",
    "CampaignWriter",
    "CurveData",
    "Effect",
    "ImageCounts",
    "LayerProgress",
    "NewCampaign",
    "Outcome",
    "QueueView",
    "Receipt",
    "Span",
    "State",
    "Store",
    "WorkerStatus",
    "store_path",
]
