"""Dated data made by scripts in `packaging/`: prices, model abilities, routing weights, chat templates."""
