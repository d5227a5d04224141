"""Answers: metrics, scores, differences, summary text, explanations, link reports, forecasts."""
