"""Pictures of web pages in a cluster; the caller is inside the cluster's network."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import time

from e2e.cluster import browsers


def take(
    url: str,
    path: str | os.PathLike[str],
    *,
    text: str = "",
    ready: str = "true",
    width: int = 1400,
    height: int = 900,
    settle: float = 1.5,
    timeout: float = 90,
) -> pathlib.Path:
    """Opens a page, waits until it is rendered, and writes a PNG.

    Args:
        url: of the page, such as a path below `Cluster.argo_server()`.
        path: of the picture.
        text: that the page shows when it is ready.
        ready: a JavaScript expression that is true when it is.
        width: of the page, in pixels.
        height: of the page.
        settle: seconds to wait after that, for what moves.
        timeout: seconds for all of it.

    Raises:
        Unavailable: there is no browser on this machine.
        TimeoutError: the page was never ready.
    """
    target = pathlib.Path(path)
    with browsers.opened(timeout) as page:
        page.call("Page.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", **size)
        page.call("Page.navigate", url=url)
        page.await_true(f"document.readyState == 'complete' && document.body.innerText.includes({json.dumps(text)})")
        page.await_true(f"Boolean({ready})")
        time.sleep(settle)
        picture = page.call("Page.captureScreenshot", format="png")["data"]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(base64.b64decode(picture))
    return target
