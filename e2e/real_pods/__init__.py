"""The main road once on real pods: images that we build, a kubelet, PodSecurity `restricted`, a cpu quota."""
