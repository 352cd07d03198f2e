"""The built-in lifecycle: stored names, milestones, and what is expected when.

It forces no line. The seed's cardboard project has land and no financial model,
its tractor project the reverse; both are ordinary. Nothing is required before
anything else, since no source we know makes any step impossible without another.
"""

from __future__ import annotations

from typing import Any, Final

from azcn_events.core.lifecycle import Lifecycle, Milestone
from azcn_events.investment import events as ev

__all__ = ["INVESTMENT"]


def _signed_1_to_2(plain: dict[str, Any]) -> dict[str, Any]:
    """Version 1 said whether it was a memorandum; "no" does not say what it was."""
    memorandum = plain.pop("memorandum")
    if "kind" in plain or not isinstance(memorandum, bool):
        msg = "it has 'memorandum', true or false, and no 'kind'"
        raise ValueError(msg)
    return {**plain, "kind": "memorandum" if memorandum else "unknown"}


INVESTMENT: Final = Lifecycle(
    name="investment",
    events={
        "source-registered": ev.SourceRegistered,
        "conference-reported": ev.ConferenceReported,
        "date-refined": ev.DateRefined,
        "documents-reported": ev.DocumentsReported,
        "value-reported": ev.ValueReported,
        "fields-mentioned": ev.FieldsMentioned,
        "document-identified": ev.DocumentIdentified,
        "progress-claimed": ev.ProgressClaimed,
        "conflict-noted": ev.ConflictNoted,
        "agreement-identified": ev.AgreementIdentified,
        "parties-reported": ev.PartiesReported,
        "agreement-signed": ev.AgreementSigned,
        "amended": ev.Amended,
        "work-started": ev.WorkStarted,
        "land-allocated": ev.LandAllocated,
        "financial-model-discussed": ev.FinancialModelDiscussed,
        "financial-model-agreed": ev.FinancialModelAgreed,
        "investment-completed": ev.InvestmentCompleted,
        "company-created": ev.CompanyCreated,
        "production-started": ev.ProductionStarted,
        "link-proposed": ev.LinkProposed,
        "link-confirmed": ev.LinkConfirmed,
        "link-rejected": ev.LinkRejected,
    },
    milestones=(
        Milestone("signed", met_by=ev.AgreementSigned),
        Milestone("land-allocated", met_by=ev.LandAllocated, expects=["signed"]),
        Milestone(
            "financial-model-agreed",
            met_by=ev.FinancialModelAgreed,
            begun_by=ev.FinancialModelDiscussed,
            expects=["signed"],
        ),
        Milestone("company-created", met_by=ev.CompanyCreated, expects=["signed"]),
        Milestone("work-started", met_by=ev.WorkStarted, expects=["signed"]),
        Milestone(
            "investment-completed",
            met_by=ev.InvestmentCompleted,
            expects=["financial-model-agreed"],
        ),
        Milestone(
            "producing", met_by=ev.ProductionStarted, expects=["investment-completed"]
        ),
    ),
    opened_by=ev.AgreementIdentified,
    category="agreement",
    streams={
        "source": (ev.SourceRegistered,),
        "package": (
            ev.ConferenceReported,
            ev.DateRefined,
            ev.DocumentsReported,
            ev.ValueReported,
            ev.FieldsMentioned,
            ev.DocumentIdentified,
            ev.ProgressClaimed,
            ev.ConflictNoted,
        ),
        "agreement": (
            ev.AgreementIdentified,
            ev.PartiesReported,
            ev.AgreementSigned,
            ev.ValueReported,
            ev.Amended,
            ev.WorkStarted,
            ev.LandAllocated,
            ev.FinancialModelDiscussed,
            ev.FinancialModelAgreed,
            ev.InvestmentCompleted,
            ev.CompanyCreated,
            ev.ProductionStarted,
            ev.ProgressClaimed,
            ev.ConflictNoted,
        ),
        "link": (ev.LinkProposed, ev.LinkConfirmed, ev.LinkRejected, ev.ConflictNoted),
    },
    upcasts={("agreement-signed", 1): _signed_1_to_2},
)
