// Files and folders of one user alone, where modes do not say that: Windows' access lists.

export interface Privacy {
  /** Makes an empty file for this user, administrators and the system. @throws OsError, `EEXIST` where it is there. */
  makeFile(file: string): void;
  /** The same for a folder and all that will be in it; its parent is there. */
  makeFolder(folder: string): void;
  /** Leaves a folder to one Windows service, administrators and the system, who may change what is in it. */
  leaveTo(service: string, folder: string): void;
  access(file: string): FileAccess;
}

export interface FileAccess {
  /** Who may read or change it besides its owner, this user, services, administrators and the system; by name. */
  others: string[];
  /** Its owner by name, where that is none of these: what is in the file may be that one's choice. */
  stranger: string | null;
}
