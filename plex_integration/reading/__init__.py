"""Reading Plex: one viewset per path, with its query, its payload and its service.

viewsets     one class per path; the read flow is written once
queries      query parameters with their bounds
services     what each endpoint asks of Plex, and the cache tags of its result
serializers  payloads: what goes under `data`
catalog      the server's libraries and genres, which make queries canonical
"""
