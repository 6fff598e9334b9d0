"""The parts of a record on a Ray cluster: the one named by RAY_ADDRESS, else one of this machine's cores for the time being.

Every machine of a cluster finds the checkout under the same path and has the lab installed.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from methods.kit.errors import Refused

if TYPE_CHECKING:
    from methods.kit.parts import Done, Part


def outcomes(parts: "Sequence[Part]", workers: int) -> "Iterator[tuple[Part, Done]]":
    """Each part as it is finished. Raises `Refused` without Ray, when a worker died, or what a part was refused for."""
    if find_spec("ray") is None:
        raise Refused("--on ray: Ray is not installed: pip install -c constraints.txt -e '.[methods,ray]'")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told
    import ray

    from methods.kit.parts import do, quiet_worker

    def one(part: "Part") -> "Done":
        quiet_worker()
        return do(part)

    started = not ray.is_initialized()
    if started:
        there = bool(os.environ.get("RAY_ADDRESS"))
        ray.init(
            num_cpus=None if there else workers,
            object_store_memory=None if there else 100_000_000,  # what parts send back is small
            include_dashboard=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": str(parts[0].root)}},
        )
    try:
        gpus = 1 if parts[0].zoo.device.startswith("cuda") else 0
        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(one)
        running = {remote.remote(part): part for part in parts}
        while running:
            (first, *_), _ = ray.wait(list(running))
            yield running.pop(first), ray.get(first)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, Refused) else error) from None
    except ray.exceptions.RayError as error:
        raise Refused(f"bench: a worker of the cluster died ({type(error).__name__}); finished parts are kept") from None
    finally:
        if started:
            ray.shutdown()
