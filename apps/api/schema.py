from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme


class BearerScheme(KnoxTokenScheme):
    target_class = "apps.api.authentication.BearerAuthentication"
    name = "token"
