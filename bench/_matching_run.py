"""One whole run of a list in a process of its own, as the worker does it: prints JSON with seconds and memory."""

import json
import os
import resource
import sys
import time

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    django.setup()
    from django.db.models import Max

    from listings.models import DemandList
    from matching import actions, computing, runner
    from matching.models import MatchRun

    demand_list = DemandList.objects.get(pk=int(sys.argv[1]))
    number = (demand_list.runs.aggregate(last=Max("number"))["last"] or 0) + 1
    base = int(sys.argv[2]) if len(sys.argv) > 2 else None
    parameters = actions.parameters_of(demand_list)
    if base:
        parameters["since"] = base
    run = MatchRun.objects.create(demand_list=demand_list, number=number, parameters=parameters)
    stages: dict[str, float] = {}
    began = last = time.monotonic()
    name = "start"
    original = runner.Progress.__call__

    def told(self, stage: str, pct: float) -> None:  # type: ignore[no-untyped-def]
        nonlocal last, name
        now = time.monotonic()
        stages[name] = stages.get(name, 0.0) + now - last
        last, name = now, stage
        original(self, stage, pct)

    runner.Progress.__call__ = told  # type: ignore[method-assign]
    assert computing.compute  # imported before the clock starts, as in a worker that has run before
    runner.execute(run.pk)
    seconds = time.monotonic() - began
    stages[name] = stages.get(name, 0.0) + time.monotonic() - last
    run.refresh_from_db()
    if run.state != "done":
        raise SystemExit(f"the run ended as {run.state}: {run.failure}")
    sys.stdout.write(
        json.dumps(
            {
                "seconds": seconds,
                "stages": {k: round(v, 2) for k, v in stages.items()},
                "figures": run.figures,
                "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "run": run.pk,
            }  # fmt: skip
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
