"""As much of Airflow as calls a task's function, for a test that must not install Airflow."""
