"""Small text files that people write with whatever editor they have."""

from __future__ import annotations

from pathlib import Path

from xybot.config.problems import Misfit

MISSING = "请建立它或改正路径 (no such file: create it or correct the path)"


def read_text(path: Path, *, if_missing: str = MISSING) -> str:
    """Return the text of a UTF-8 file, without the BOM that Windows Notepad puts there.

    Raises:
      Misfit: it cannot be read; the text says why and never what the file holds.
    """
    try:
        if path.is_dir():
            raise Misfit(f"{path} 是文件夹，不是文件 (a folder, not a file)")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        wrong = f"找不到文件 {path}，{if_missing}"
    except PermissionError:
        wrong = f"没有权限读 {path} (no permission to read this file)"
    except UnicodeDecodeError:
        wrong = f"{path} 不是 UTF-8 编码，请另存为 UTF-8 (not UTF-8: save it as UTF-8)"
    except OSError as exc:
        wrong = f"读不了 {path} (cannot be read: {exc.strerror})"
    except ValueError:
        wrong = "文件路径无效 (not a path that a file can have)"
    raise Misfit(wrong)
