"""Settings of the whole suite: property tests are derandomised, so that a failure on one machine is one on all."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("alula", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("alula")
