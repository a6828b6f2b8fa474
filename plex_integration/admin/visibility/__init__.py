"""Why a user does not see an item or a library: the way from the user to it, step by step.

page          the form and the list of steps
explanation   the steps in order, up to the first refusal
links         whether the user gets anything at all
hidden_items  which share filter or age profile hides an item
cached_lists  which cached lists do not show it yet
"""
