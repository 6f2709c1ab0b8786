from celery import shared_task


@shared_task(name="jobs.work")
def work(job_id: str) -> None:
    from .work import perform

    perform(job_id)
