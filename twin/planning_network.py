"""The network that answers questions of capacity planning: how good routing could be."""

from __future__ import annotations

from .answers.routing_report import RoutingReport, routing_report
from .catalogue.ageing import AgeingCase
from .evaluated_network import Changes, EvaluatedNetwork, Notify, plan_name, report_phase


class PlanningNetwork(EvaluatedNetwork):
    """A network with the answers that planners of capacity ask for."""

    def optimum(
        self,
        *,
        gap_ratio: float = 0.01,
        changes: Changes | None = None,
        ageing: AgeingCase = "value",
        notify: Notify | None = None,
    ) -> RoutingReport:
        """Compare the routing of the demands with the best possible one.

        The best routing splits each demand in any way over any paths through nodes that forward, so that the busiest
        link has the least utilisation. Traffic of jobs is left out.

        Args:
            gap_ratio: largest distance of the two bounds of the optimum over it, from 0.0001 to 0.5.
            changes: a plan's name, a change or a list of changes to apply first.
            ageing: low, value (central) or high.
            notify: called with the name of each phase.

        Returns:
            Utilisation in use and at the optimum with its certified bound, and the links that set it.

        Raises:
            ChangeError: no demands, a link of unknown rate, or a gap out of bounds.
            ConvergenceError: the bounds stay farther apart.
        """
        evaluation = self._evaluate_after(changes, None, notify, ageing)
        report_phase(notify, "optimising routing")
        return routing_report(evaluation, self.label, plan_name(changes), gap_ratio)
