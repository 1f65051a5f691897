"""What an optimisation has found, as the JSON of the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from i18n.messages import fault_message_text
from pipeline.experiments.intervals import Interval
from pipeline.optimisation.service import Estimate
from pipeline.optimisation.values import Optimisation, Trial, comparison_of, mean

Json = dict[str, Any]


def optimisation_json(found: Optimisation) -> Json:
    """Return all that is known of an optimisation."""
    compared, best = comparison_of(found), found.best
    before = compared.before if compared else mean(found.before)
    return {
        **summary_json(found),
        "split": {
            "training": len(found.split.training),
            "validation": len(found.split.validation),
            "held_out": len(found.split.held_out),
        },
        "base_instruction": found.instruction,
        "best": best.index if best else None,
        "trials": [trial_json(each) for each in found.trials],
        "before": _interval(before),
        "after": _interval(compared.after) if compared else None,
        "difference": _interval(compared.difference) if compared else None,
        "settled_by": compared.settled_by if compared else None,
        "rows": [
            {
                "question": each.question,
                "expected": each.expected,
                "before": {"answer": each.before.answer, "score": each.before.score},
                "after": {"answer": each.after.answer, "score": each.after.score},
                "change": each.change,
            }
            for each in (compared.rows if compared else ())
        ],
    }


def summary_json(found: Optimisation) -> Json:
    """Return what a list says of an optimisation."""
    plan, compared = found.plan, comparison_of(found)
    return {
        "id": found.id,
        "state": found.state,
        "phase": found.phase,
        "created_at": found.created_at,
        "program": plan.program,
        "model": plan.model,
        "optimizer": plan.optimizer,
        "questions": plan.source or None,
        "seed": plan.seed,
        "calls": found.calls,
        "most_calls": plan.calls,
        "cost": found.cost if found.priced else None,
        "max_usd": plan.max_usd,
        "took_s": found.took_s,
        "improved": compared.improved if compared else False,
        "used": found.used or None,
        "fault": {"code": found.fault.code, "text": fault_message_text(found.fault)} if found.fault else None,
    }


def trial_json(trial: Trial) -> Json:
    """Return a trial without its state, which `use` makes a program of."""
    said = {name: value for name, value in asdict(trial).items() if name not in ("state", "demos")}
    return {**said, "demos": [{"question": question, "answer": answer} for question, answer in trial.demos]}


def estimate_json(estimate: Estimate) -> Json:
    """Return what an optimisation would ask and cost at most."""
    split = estimate.split
    return {
        "calls": estimate.calls,
        "cost": estimate.cost,
        "training": len(split.training),
        "validation": len(split.validation),
        "held_out": len(split.held_out),
    }


def _interval(interval: Interval | None) -> Json | None:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high} if interval else None
