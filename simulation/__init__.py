"""The stand-in for a model: deterministic, OpenAI-compatible, without a key. Start at `model.py`.

    model.py      which of the two answers a request
    actor/        plays the target agent's model: a customer service agent with habits
    specialists/  plays failure miner, clusterer, harness engineer and gate judge
    reading/      what a harness says about each habit
    habits/       the habits themselves: how often they strike, and what cures them
    chance.py     when a habit strikes

Code outside a package imports from the package (`from sigmaloop.simulation.reading import read`).
"""
