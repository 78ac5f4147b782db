"""Addresses of sign-in, enrolment and people. Included at the root; which of them are open, breakglass/middleware.py says."""

from django.urls import path

from breakglass.pages import enrolment, people, sign_in

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-in/code/", sign_in.second_factor, name="second-factor"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("enrol/<str:token>/", enrolment.enrol, name="enrol"),
    path("people/", people.people, name="people"),
    path("people/propose/", people.propose_person, name="people-propose"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/duty/", people.propose_duty, name="duty-propose"),
    path("people/duties/<int:pk>/confirm/", people.confirm_duty, name="duty-confirm"),
    path("people/duties/<int:pk>/end/", people.end_duty, name="duty-end"),
    path("people/accounts/<int:pk>/reset/", people.propose_reset, name="reset-propose"),
    path("people/accounts/<int:pk>/disable/", people.disable_account, name="account-disable"),
    path("people/links/<int:pk>/confirm/", people.confirm_invitation, name="invitation-confirm"),
]
