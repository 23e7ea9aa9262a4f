def shell(request):
    """What the top bar needs: the membership acted under and the others to switch to."""
    return {"membership": getattr(request, "membership", None), "memberships": getattr(request, "memberships", [])}
