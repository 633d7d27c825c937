// Somebody else saved first: what they saved is told, and which of the two stays is left to the person.
import "../style/forms.css";

interface ConflictProps {
  /** What they made of it: `Somebody changed this meanwhile to “30”.` */
  children: string;
  onTake: () => void;
  onOverwrite: () => void;
}

export function Conflict({ children, onTake, onOverwrite }: ConflictProps) {
  return (
    <div class="notice warn" role="alert">
      <p>
        <b>Not saved.</b> {children}
      </p>
      <div>
        <button type="button" onClick={onTake}>
          Take theirs
        </button>
        <button type="button" onClick={onOverwrite}>
          Save mine over it
        </button>
      </div>
    </div>
  );
}
