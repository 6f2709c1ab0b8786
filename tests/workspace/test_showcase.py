from django.test import Client


def test_somebody_who_has_not_signed_in_sees_no_data_outside_a_demo(
    client: Client, team, settings
) -> None:
    settings.DEMO = False
    page = client.get("/accounts/login/")
    assert page.status_code == 200
    assert b"show__parts" not in page.content
    assert b"door__tile" not in page.content
