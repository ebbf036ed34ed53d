"""The model beside its baselines and ceilings."""
