"""What each process tells the operator's pages, beside the requests and never during one.

background        runs tasks in one thread, every two seconds
background_check  checks something slow in a thread of its own, while requests wait a moment
metrics_folder    the files in which the workers of a machine count for Prometheus
processes         which processes run, on which machine, since when
recent_errors     the errors of the last day by code, and the ids of the last requests
series            what each worker counts for Prometheus
version           which version of the service runs
"""
