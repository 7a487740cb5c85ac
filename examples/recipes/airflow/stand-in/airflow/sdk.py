"""`dag` and `task`: a DAG that is called notes its tasks and does not run them."""

TASKS: dict = {}


def task(**options):
    def decorate(function):
        TASKS[function.__name__] = (function, options)
        return lambda *args, **kwargs: None

    return decorate


def dag(**options):
    return lambda function: function
