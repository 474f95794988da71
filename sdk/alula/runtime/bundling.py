"""The code bundle into the pod: fetched by its digest, compared with it, unpacked in front of what the image has.

Called by `running` when the release has a bundle.
"""

from __future__ import annotations

from pathlib import Path

from alula.attempt import errors
from alula.attempt.errors import Stop
from alula.runtime.attempt_env import AttemptEnv
from alula_api.contract import pods
from alula_api.contract.codes import Code


def unpack(env: AttemptEnv) -> str:
    """Unpacks the bundle; returns its folder."""
    from alula_data import bundles
    from alula_data.errors import NotFound
    from alula_data.stores import opening

    if not env.releases:
        raise Stop(errors.SYSTEM, Code.BAD_ENGINE, f"the environment has no {pods.Env.RELEASES} for the code bundle")
    to = Path(env.work, "code")
    try:
        data = opening.open_store(env.releases, endpoint=env.endpoint).get(env.bundle)
        bundles.unpack(data, env.bundle, to)
    except NotFound as error:
        message = f"the code bundle is not in the store: {error}; `alula register` uploads it"
        raise Stop(errors.SYSTEM, error.code, message) from error
    except bundles.BundleError as error:
        raise Stop(errors.SYSTEM, error.code, str(error)) from error
    return str(to)
