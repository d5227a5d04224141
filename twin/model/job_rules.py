"""Faults of a job that do not depend on the network; all faults at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..errors import Issue
from .jobs import TrainingJob

LOCAL_SGD_DEFAULTS = {
    "n_local_steps": 1,
    "n_fragment_layers": None,
    "n_overlap_steps": 0,
    "exchange_bits_per_parameter": None,
}


def job_shape_issues(job: TrainingJob) -> Iterator[Issue]:
    """Find inconsistent fields of a job, with a hint for each."""
    yield from _placement_issues(job)
    yield from _model_issues(job)
    yield from parallelism_issues(job)
    yield from _sync_issues(job)


def _placement_issues(job: TrainingJob) -> Iterator[Issue]:
    where = f"jobs[{job.id}].placement"
    if not job.placement:
        yield Issue(where, "the job has no place to run", "name at least one site")
    n_of_placement = Counter((placement.site, placement.accelerator, placement.racks) for placement in job.placement)
    for (site, accelerator, racks), n in n_of_placement.items():
        if n > 1:
            label = f" ({accelerator or 'any kind'}{f', racks {racks}' if racks else ''})"
            yield Issue(where, f"site {site!r}{label} stands {n} times")
    for i, placement in enumerate(job.placement):
        if (placement.n_micro_batches is None) == (job.split == "stated"):
            problem = "missing, though the split is stated" if job.split == "stated" else "stands beside another split"
            yield Issue(f"{where}[{i}].n_micro_batches", problem, "split: stated goes with n_micro_batches everywhere")
        if placement.micro_batch_s is not None and placement.pace_ratio != 1.0:
            yield Issue(f"{where}[{i}].pace_ratio", "stands beside a measured micro_batch_s", "leave one of them out")
    if job.split == "stated" and job.on_card_loss == "drop_replicas":
        problem = "a stated split does not do the batch once replicas are dropped"
        yield Issue(f"jobs[{job.id}].on_card_loss", problem, "split: uniform or balanced")
    if job.pxn_spread != "all" and job.on_card_loss != "pxn":
        problem = f"pxn_spread belongs to on_card_loss: pxn, found {job.on_card_loss}"
        yield Issue(f"jobs[{job.id}].pxn_spread", problem, "on_card_loss: pxn, or leave pxn_spread out")
    if job.split != "uniform" and job.across_sites == "pipeline":
        problem = f"a replica over all sites has one number of micro batches, nothing to be {job.split}"
        yield Issue(f"jobs[{job.id}].split", problem, "split: uniform")


def _model_issues(job: TrainingJob) -> Iterator[Issue]:
    model, where = job.model, f"jobs[{job.id}].model"
    if model.n_experts_active > model.n_experts:
        yield Issue(where, f"{model.n_experts_active} active experts of {model.n_experts}")
    if model.n_kv_heads is not None and model.n_heads % model.n_kv_heads:
        yield Issue(where, f"{model.n_heads} heads do not divide by {model.n_kv_heads} key-value heads")
    if model.n_dense_layers > model.n_layers:
        yield Issue(where, f"{model.n_dense_layers} dense layers of {model.n_layers}")
    if bool(model.n_dense_layers) != bool(model.n_dense_ffn_hidden) or (model.n_dense_layers and model.n_experts == 1):
        yield Issue(where, "n_dense_layers and n_dense_ffn_hidden go together, in a model with experts")
    if model.n_predict_layers > model.n_layers:
        yield Issue(where, f"{model.n_predict_layers} of {model.n_layers} layers predict a token further")
    if model.n_shared_experts and model.n_experts == 1:
        yield Issue(where, "shared experts in a model without experts")
    n_output = model.n_hidden * model.n_head_hidden  # the output's matrix alone
    if model.n_attention_parameters is not None and model.n_attention_parameters <= n_output:
        problem = f"{model.n_attention_parameters} attention parameters of a layer, as few as its output has alone"
        yield Issue(f"{where}.n_attention_parameters", problem, f"more than {n_output}")
    if model.n_head_width is None and model.n_hidden % model.n_heads:
        problem = f"hidden width {model.n_hidden} does not divide by {model.n_heads} heads"
        yield Issue(where, problem, "state n_head_width")


def parallelism_issues(job: TrainingJob) -> Iterator[Issue]:
    """Find parallelism that does not divide the model or the batch."""
    parallelism, model, where = job.parallelism, job.model, f"jobs[{job.id}].parallelism"
    if parallelism.n_virtual_stages > 1 and parallelism.pp == 1:
        yield Issue(where, "virtual stages need pp > 1", "set n_virtual_stages to 1")
    if parallelism.pp * parallelism.n_virtual_stages > model.n_layers:
        n_stages = parallelism.pp * parallelism.n_virtual_stages
        problem = f"pp * n_virtual_stages = {n_stages} exceeds the {model.n_layers} layers"
        maximum = model.n_layers // parallelism.pp
        yield Issue(where, problem, f"n_virtual_stages up to {maximum}" if maximum else f"pp up to {model.n_layers}")
    if model.n_heads % parallelism.tp:
        hint = f"tp: one of {', '.join(map(str, divisors(model.n_heads)))}"
        yield Issue(f"{where}.tp", f"tp {parallelism.tp} does not divide the {model.n_heads} heads", hint)
    if model.n_sequence % parallelism.cp:
        problem = f"a sequence of {model.n_sequence} tokens does not divide by cp {parallelism.cp}"
        yield Issue(f"{where}.cp", problem, f"a divisor of {model.n_sequence}")
    if model.n_experts % parallelism.ep:
        hint = f"ep: one of {', '.join(map(str, divisors(model.n_experts)))}"
        problem = f"{model.n_experts} experts do not divide by ep {parallelism.ep}"
        if model.n_experts == 1:
            problem, hint = f"ep {parallelism.ep} for a model without experts", "ep: 1"
        yield Issue(f"{where}.ep", problem, hint)
    width = parallelism.tp * parallelism.cp
    if parallelism.ep % width and width % parallelism.ep:
        problem = f"ep {parallelism.ep} neither divides tp x cp = {width} nor is a multiple of it"
        yield Issue(f"{where}.ep", problem, f"ep: {width} or a multiple or divisor of it")
    if job.n_global_batch % parallelism.n_micro_batch:
        problem = f"{job.n_global_batch} sequences are no whole micro batches of {parallelism.n_micro_batch}"
        yield Issue(f"jobs[{job.id}].n_global_batch", problem, f"a multiple of {parallelism.n_micro_batch}")


def _sync_issues(job: TrainingJob) -> Iterator[Issue]:
    where = f"jobs[{job.id}]"
    if job.sync == "every_step":
        for name, default in LOCAL_SGD_DEFAULTS.items():
            if getattr(job, name) != default:
                text = "local steps belong" if name == "n_local_steps" else f"{name} belongs"
                yield Issue(f"{where}.{name}", f"{text} to sync: local_sgd")
        return
    if job.across_sites == "pipeline":
        yield Issue(f"{where}.sync", "local SGD needs whole replicas at each site", "across_sites: data")
    if job.n_local_steps < 2:
        problem = "local SGD that exchanges at every step is none"
        yield Issue(f"{where}.n_local_steps", problem, "n_local_steps: 2 or more, or sync: every_step")
        return
    if job.n_fragment_layers is not None and job.n_fragment_layers > job.model.n_layers:
        problem = f"fragments of {job.n_fragment_layers} of {job.model.n_layers} layers"
        yield Issue(f"{where}.n_fragment_layers", problem, f"up to {job.model.n_layers}; leave it out for all at once")
    n_fragments = -(-job.model.n_layers // job.n_fragment_layers) if job.n_fragment_layers else 1
    if n_fragments * (1 + job.n_overlap_steps) > job.n_local_steps:
        problem = f"{n_fragments} fragments in {job.n_local_steps} steps, each for {1 + job.n_overlap_steps}"
        hint = "one on its way at a time: larger fragments, less overlap, or more local steps"
        yield Issue(f"{where}.n_local_steps", problem, hint)


def divisors(n: int) -> list[int]:
    """Return the divisors of n up to 1024, for hints."""
    return [k for k in range(1, min(n, 1024) + 1) if n % k == 0]
