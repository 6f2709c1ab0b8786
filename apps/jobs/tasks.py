from celery import shared_task

from .work import perform


@shared_task(name="jobs.work")
def work(job_id: str) -> None:
    perform(job_id)
