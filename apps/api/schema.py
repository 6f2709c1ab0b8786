from drf_spectacular.contrib.django_rest_knox import KnoxTokenScheme


class BearerScheme(KnoxTokenScheme):
    target_class = "apps.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
