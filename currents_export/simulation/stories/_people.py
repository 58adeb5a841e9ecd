"""Who can have a journey: what each need asks for, and the first user who has it all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...errors import OptionError
from ..people.model import User

__all__ = ["NEEDS", "find_user", "number_of"]

#: So many users are looked at before nobody is found.
_MOST = 10_000

#: Whether a user of a world of so many has what is needed, and the name of that.
_Need = tuple[Callable[[User, int], bool], str]


def _has_device(*platforms: str, push: bool = False) -> Callable[[User, int], bool]:
    def has(user: User, _: int) -> bool:
        return any(
            (not platforms or each.platform in platforms) and (not push or bool(each.push_token))
            for each in user.devices
        )

    return has


#: What a journey can need, by the names in `stories.toml`.
NEEDS: Mapping[str, _Need] = {
    "anonymous": (
        lambda user, _: user.external_id is None and user.number > 0,
        "the user must be anonymous, without an external id",
    ),
    "email": (lambda user, _: user.email is not None, "it needs an email address"),
    "in-app": (
        _has_device("ios", "android", "kindle", "web"),
        "it needs a device that shows in-app messages",
    ),
    "iphone": (_has_device("ios"), "it needs an iPhone or iPad"),
    "next user": (
        lambda user, count: user.number + 1 < count,
        "the phone goes to the next user, and this is the last one",
    ),
    "phone": (lambda user, _: user.phone is not None, "it needs a phone number"),
    "phone with push": (
        _has_device("ios", "android", push=True),
        "it needs a phone with a push token",
    ),
    "push": (_has_device(push=True), "it needs a device with a push token"),
}


def number_of(user: int | User, users: Sequence[User]) -> int:
    """Return the number of a user, who is given as such or as a number.

    Raises:
        OptionError: the world has no such user.
    """
    number = user.number if isinstance(user, User) else user
    if type(number) is not int or not 0 <= number < len(users):
        raise OptionError(f"user is {number!r}; the users of this world are 0 to {len(users) - 1}")
    return number


def find_user(
    users: Sequence[User], what: str, needs: Sequence[str], user: int | User | None
) -> User:
    """Return the user of a journey: the given one, or by default the first who can have it.

    Args:
        users: the users of the world.
        what: the journey, for messages.
        needs: what the user must have.
        user: the user or the user's number.

    Raises:
        OptionError: the user cannot have the journey, or nobody can.
    """
    if user is not None:
        chosen = users[number_of(user, users)]
        if missing := _missing(chosen, needs, len(users)):
            hint = _first(users, needs)
            other = "" if hint is None else f"; user {hint.number} can"
            raise OptionError(
                f"user {chosen.number} cannot have {what}: {' and '.join(missing)}{other}"
            )
        return chosen
    found = _first(users, needs)
    if found is None:
        asked = " and ".join(NEEDS[name][1] for name in needs)
        raise OptionError(
            f"nobody among the first {min(_MOST, len(users)):,} users can have {what}: {asked}; a "
            "larger world, such as World(users=1_000), has more kinds of users"
        )
    return found


def _first(users: Sequence[User], needs: Sequence[str]) -> User | None:
    for user in users[:_MOST]:
        if not _missing(user, needs, len(users)):
            return user
    return None


def _missing(user: User, needs: Sequence[str], count: int) -> list[str]:
    return [NEEDS[name][1] for name in needs if not NEEDS[name][0](user, count)]
