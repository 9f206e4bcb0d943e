def explain(steps, name): raise NotImplementedError
