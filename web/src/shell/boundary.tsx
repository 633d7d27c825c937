// Keeps a defect of one part of a page to that part.
import { Component, type ComponentChildren } from "preact";

interface BoundaryProps {
  /** What is missing when it fails: `This page`, `The chart of CPU`. */
  what: string;
  children: ComponentChildren;
}

export class Boundary extends Component<BoundaryProps, { error: Error | null }> {
  override state = { error: null };

  static override getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidCatch(error: Error): void {
    reportError(error);
  }

  override render() {
    const { error } = this.state as { error: Error | null };
    if (!error) return this.props.children;
    return (
      <div class="failed" role="alert">
        <p>
          <b>{this.props.what} cannot be shown.</b> That is an error in Sonde: {error.message}
        </p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    );
  }
}
